package dev.pollux.finetune.merge;

import java.util.List;

/** The checks that parameters of several methods share. */
final class Weights {

    private Weights() {}

    /** Returns a copy; requires finite values. */
    static List<Double> finite(String name, List<Double> values) {
        values.forEach(value -> finite(name, value));
        return List.copyOf(values);
    }

    static void finite(String name, double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(name + " must be a finite number but was " + value);
        }
    }

    /** Returns a copy; requires finite values &gt; 0. */
    static List<Double> positive(String name, List<Double> values) {
        for (double value : values) {
            if (!(value > 0 && Double.isFinite(value))) {
                throw new IllegalArgumentException(name + " must be a number above 0 but was " + value);
            }
        }
        return List.copyOf(values);
    }

    /** Returns a copy; requires values in (0, 1], as many as weights. */
    static List<Double> densities(List<Double> densities, List<Double> weights) {
        return densities(densities, weights, false);
    }

    /** Returns a copy; requires values in [0, 1], as many as weights. */
    static List<Double> densitiesFromZero(List<Double> densities, List<Double> weights) {
        return densities(densities, weights, true);
    }

    private static List<Double> densities(List<Double> densities, List<Double> weights, boolean fromZero) {
        if (densities.size() != weights.size()) {
            throw new IllegalArgumentException(
                    "density must be given for " + weights.size() + " models but was for " + densities.size());
        }
        for (double density : densities) {
            if (!(density <= 1 && (density > 0 || fromZero && density == 0))) {
                throw new IllegalArgumentException(
                        "density must be in " + (fromZero ? "[" : "(") + "0, 1] but was " + density);
            }
        }
        return List.copyOf(densities);
    }

    static void notNegative(String name, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException(name + " must be a number of at least 0 but was " + value);
        }
    }

    static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    static double sum(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).sum();
    }
}
