package dev.pollux.merge;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The calculation that all methods on differences from a base share; see {@link TaskSum} for its formulas. */
final class TaskVectors {

    private static final double ZERO_SUM = 1e-8;
    private static final double ZERO_NORM = 1e-7;

    private final double[] weights; // (n)
    private final List<Mask> masks; // (n)
    private final TaskSum how;

    TaskVectors(List<Double> weights, List<Mask> masks, TaskSum how) {
        this.weights = Weights.array(weights);
        this.masks = masks;
        this.how = how;
    }

    void merge(TensorWindows in, TensorSink out) {
        int n = weights.length;
        if (!how.electSigns() && masks.stream().allMatch(Mask::keepsAll)) {
            double factor = how.lambda() / divisor();
            double[] coefficients = new double[n];
            java.util.Arrays.setAll(coefficients, i -> weights[i] * factor);
            Vectors.combineDeltas(in, coefficients, out);
            return;
        }
        double[] factors = weights.clone();
        for (int i = 0; i < n; i++) {
            if (!masks.get(i).keepsAll()) {
                masks.get(i).prepare(in, i + 1);
                factors[i] *= how.rescale() ? rescale(in, i) : 1;
            }
        }
        emit(in, out, factors);
    }

    private double divisor() {
        double sum = java.util.Arrays.stream(weights).sum();
        return how.normalize() && Math.abs(sum) >= ZERO_SUM ? sum : 1;
    }

    /** ‖δ‖₁ / ‖kept δ‖₁. */
    private double rescale(TensorWindows in, int i) {
        double[] sums = new double[2];
        float[][] delta = new float[1][];
        masks.get(i).begin();
        in.pass(
                (x, at, first, count) -> {
                    delta[0] = Vectors.subtract(x[i + 1], x[0], at, count, delta[0]);
                    sums[0] += magnitude(delta[0], count);
                    masks.get(i).apply(delta[0], first, count);
                    sums[1] += magnitude(delta[0], count);
                },
                0,
                i + 1);
        return sums[0] < ZERO_NORM || sums[1] < ZERO_NORM ? 1 : sums[0] / sums[1];
    }

    private static double magnitude(float[] delta, int count) {
        double sum = 0;
        for (int j = 0; j < count; j++) {
            sum += Math.abs(delta[j]);
        }
        return sum;
    }

    private void emit(TensorWindows in, TensorSink out, double[] factors) {
        int n = weights.length;
        float[][] deltas = new float[n][];
        float[][] result = new float[1][];
        long[] kept = new long[n];
        double divisor = divisor();
        masks.forEach(Mask::begin);
        in.pass((x, at, first, count) -> {
            for (int i = 0; i < n; i++) {
                deltas[i] = Vectors.subtract(x[i + 1], x[0], at, count, deltas[i]);
                masks.get(i).apply(deltas[i], first, count);
                kept[i] += nonZero(deltas[i], count);
            }
            result[0] = Vectors.room(result[0], count);
            for (int j = 0; j < count; j++) {
                double delta = how.electSigns() ? elected(deltas, factors, j) : sum(deltas, factors, j) / divisor;
                result[0][j] = (float) (x[0][at + j] + how.lambda() * delta);
            }
            out.put(result[0], count);
        });
        out.fact(
                "nonzero",
                IntStream.range(0, n)
                        .mapToObj(i -> String.format(Locale.ROOT, "%.4f", (double) kept[i] / in.elements()))
                        .collect(Collectors.joining(" ")));
    }

    private static long nonZero(float[] delta, int count) {
        long nonZero = 0;
        for (int j = 0; j < count; j++) {
            nonZero += delta[j] != 0 ? 1 : 0;
        }
        return nonZero;
    }

    private static double sum(float[][] deltas, double[] factors, int j) {
        double sum = 0;
        for (int i = 0; i < factors.length; i++) {
            sum += factors[i] * deltas[i][j];
        }
        return sum;
    }

    private double elected(float[][] deltas, double[] factors, int j) {
        boolean positive = sum(deltas, factors, j) >= 0;
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < factors.length; i++) {
            double weighted = factors[i] * deltas[i][j];
            if (positive ? weighted > 0 : weighted < 0) {
                sum += weighted;
                weight += weights[i];
            }
        }
        return how.normalize() && weight != 0 ? sum / weight : sum;
    }
}
