package dev.pollux.merging;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * The value of a parameter of a plan, which may differ by layer and by tensor. <em>Immutable.</em>
 *
 * <p>True and false are 1 and 0.
 */
public sealed interface Setting {

    /**
     * The value for a tensor, empty when no entry of a list of filters matches its name.
     *
     * @param tensor the tensor's name
     * @param position where its layer lies in its slice, in [0, 1]; 0 for tensors outside the layers
     */
    OptionalDouble at(String tensor, double position);

    /** One value for all. */
    static Setting of(double value) {
        return new Constant(value);
    }

    /** Values along the layers, interpolated. */
    static Setting gradient(double... points) {
        return new Gradient(DoubleStream.of(points).boxed().toList());
    }

    /** The same number everywhere. */
    record Constant(double value) implements Setting {
        public Constant {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("value must be a finite number but was " + value);
            }
        }

        @Override
        public OptionalDouble at(String tensor, double position) {
            return OptionalDouble.of(value);
        }
    }

    /**
     * Points at even distances from the first layer to the last, interpolated linearly: at x = position·(L − 1), i = ⌊x⌋ and
     * f = x − i the value is (1 − f)·p<sub>i</sub> + f·p<sub>i+1</sub>.
     *
     * @param points (L), at least one
     */
    record Gradient(List<Double> points) implements Setting {
        public Gradient {
            points = List.copyOf(points);
            if (points.isEmpty()) {
                throw new IllegalArgumentException("points must not be empty; give a number");
            }
            if (!points.stream().allMatch(Double::isFinite)) {
                throw new IllegalArgumentException("points must be finite numbers but were " + points);
            }
        }

        @Override
        public OptionalDouble at(String tensor, double position) {
            double x = position * (points.size() - 1);
            int i = Math.min((int) Math.floor(x), points.size() - 1);
            if (i == points.size() - 1) {
                return OptionalDouble.of(points.get(i));
            }
            double f = x - i;
            return OptionalDouble.of((1 - f) * points.get(i) + f * points.get(i + 1));
        }
    }

    /** The first entry whose filter matches decides. */
    record Filtered(List<Entry> entries) implements Setting {
        public Filtered {
            entries = List.copyOf(entries);
        }

        @Override
        public OptionalDouble at(String tensor, double position) {
            return entries.stream()
                    .filter(entry -> entry.matches(tensor))
                    .findFirst()
                    .map(entry -> entry.value().at(tensor, position))
                    .orElse(OptionalDouble.empty());
        }
    }

    /**
     * One case of {@link Filtered}. <em>Immutable.</em>
     *
     * @param filter a part of the tensor's name; {@code "*"} matches every name
     */
    record Entry(String filter, Setting value) {
        boolean matches(String tensor) {
            return filter.equals("*") || tensor.contains(filter);
        }
    }
}
