package dev.pollux.merging;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * The value of a plan's parameter. It can depend on the layer and on the tensor. <em>Immutable.</em>
 *
 * <p>Boolean values are 1 (true) and 0 (false).
 */
public sealed interface LayerSchedule {

    /**
     * Returns the value for a tensor; empty if this is a list of filters and none matches the tensor's name.
     *
     * @param tensor the tensor's name
     * @param position relative position of its layer in the slice, in [0, 1]; 0 for tensors outside the layers
     */
    OptionalDouble at(String tensor, double position);

    /** Returns one value for all tensors. */
    static LayerSchedule of(double value) {
        return new Constant(value);
    }

    /** Returns values that are interpolated along the layers. */
    static LayerSchedule gradient(double... points) {
        return new Gradient(DoubleStream.of(points).boxed().toList());
    }

    /** One value for all tensors. <em>Immutable.</em> */
    record Constant(double value) implements LayerSchedule {
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
     * Equidistant points from the first layer to the last, interpolated linearly. At x = position·(L − 1), i = ⌊x⌋ and f = x −
     * i, the value is (1 − f)·p<sub>i</sub> + f·p<sub>i+1</sub>.
     *
     * @param points (L), L ≥ 1
     */
    record Gradient(List<Double> points) implements LayerSchedule {
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

    /** Values by tensor name: the first entry with a matching filter applies. <em>Immutable.</em> */
    record Filtered(List<Entry> entries) implements LayerSchedule {
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
     * @param filter a substring of the tensor's name; {@code "*"} matches every name. {@code "mlp"} matches {@code
     *     model.layers.0.mlp.up_proj.weight}, but not {@code model.norm.weight}
     */
    record Entry(String filter, LayerSchedule value) {
        boolean matches(String tensor) {
            return filter.equals("*") || tensor.contains(filter);
        }
    }
}
