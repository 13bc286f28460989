package dev.pollux.merge;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The calculation that all methods on differences from a base share; see {@link TaskSum} for its formulas. */
final class TaskVectors {

    private static final double ZERO_SUM = 1e-8;
    private static final double ZERO_NORM = 1e-7;

    /** Elements of a tensor for which a bit each is kept. */
    private static final long MAX_NOTED = 1 << 26;

    private final double[] weights; // (n)
    private final List<Mask> masks; // (n)
    private final TaskSum how;
    private final double[] sums = new double[Vectors.BLOCK];
    private final double[] shares = new double[Vectors.BLOCK]; // weights of the models in each sum
    private final long[] against = new long[Vectors.BLOCK]; // the majority's sign bit
    private float[] result = new float[0]; // of a window

    TaskVectors(List<Double> weights, List<Mask> masks, TaskSum how) {
        this.weights = Weights.array(weights);
        this.masks = new ArrayList<>();
        masks.forEach(mask -> this.masks.add(mask.keepsAll() ? Mask.ALL : mask));
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

    /** ‖δ‖₁ / ‖kept δ‖₁; what was kept is noted, if there is room, so that it need not be found again. */
    private double rescale(TensorWindows in, int i) {
        double[] sums = new double[2];
        float[][] delta = new float[1][];
        boolean noted = in.elements() <= MAX_NOTED;
        long[] kept = new long[noted ? (int) (in.elements() + 63 >>> 6) : 0];
        Mask mask = masks.get(i);
        mask.begin();
        in.pass(
                (x, at, first, count) -> {
                    delta[0] = Vectors.subtract(x[i + 1], x[0], at, count, delta[0]);
                    sums[0] += Vectors.magnitude(delta[0], count);
                    mask.apply(delta[0], first, count);
                    sums[1] += Vectors.magnitude(delta[0], count);
                    if (noted) {
                        Mask.Stored.note(delta[0], first, count, kept);
                    }
                },
                0,
                i + 1);
        if (noted) {
            masks.set(i, Mask.Stored.of(kept));
        }
        return sums[0] < ZERO_NORM || sums[1] < ZERO_NORM ? 1 : sums[0] / sums[1];
    }

    private void emit(TensorWindows in, TensorSink out, double[] factors) {
        int n = weights.length;
        float[][] deltas = new float[n][];
        long[] kept = new long[n];
        double lambda = how.electSigns() ? how.lambda() : how.lambda() / divisor();
        masks.forEach(Mask::begin);
        in.pass((x, at, first, count) -> {
            for (int i = 0; i < n; i++) {
                deltas[i] = Vectors.subtract(x[i + 1], x[0], at, count, deltas[i]);
                masks.get(i).apply(deltas[i], first, count);
                kept[i] += nonZero(deltas[i], count);
            }
            result = Vectors.room(result, count);
            for (int from = 0; from < count; from += Vectors.BLOCK) {
                int some = Math.min(Vectors.BLOCK, count - from);
                Vectors.weigh(deltas, from, factors, sums, some);
                if (how.electSigns()) {
                    elect(deltas, from, factors, some);
                }
                for (int j = 0; j < some; j++) {
                    result[from + j] = (float) (x[0][at + from + j] + lambda * sums[j]);
                }
            }
            out.put(result, count);
        });
        out.fact(
                "nonzero",
                IntStream.range(0, n)
                        .mapToObj(i -> String.format(Locale.ROOT, "%.4f", (double) kept[i] / in.elements()))
                        .collect(Collectors.joining(" ")));
    }

    private static long nonZero(float[] delta, int count) {
        int nonZero = 0;
        for (int j = 0; j < count; j++) {
            nonZero += (Float.floatToRawIntBits(delta[j]) & 0x7fffffff) != 0 ? 1 : 0;
        }
        return nonZero;
    }

    /*
     * The sums become those of the models with the majority's sign. Signs are as good as random, so nothing branches on
     * them: v is D_i if the majority is positive and -D_i if not, and what is not above 0 is masked away. A long is above 0
     * where a double is, so the sign of its negation is the mask; adding 0 turns -0 into 0.
     */
    private void elect(float[][] deltas, int from, double[] factors, int count) {
        for (int j = 0; j < count; j++) {
            against[j] = Double.doubleToRawLongBits(sums[j] + 0.0) & Long.MIN_VALUE; // -0 counts as +
            sums[j] = 0;
            shares[j] = 0;
        }
        for (int i = 0; i < factors.length; i++) {
            float[] delta = deltas[i];
            double factor = factors[i];
            long weight = Double.doubleToRawLongBits(weights[i]);
            for (int j = 0; j < count; j++) {
                double weighted = factor * delta[from + j] + 0.0;
                double v = Double.longBitsToDouble(Double.doubleToRawLongBits(weighted) ^ against[j]) + 0.0;
                long bits = Double.doubleToRawLongBits(v);
                long kept = -bits >> 63;
                sums[j] += Double.longBitsToDouble(bits & kept);
                shares[j] += Double.longBitsToDouble(weight & kept);
            }
        }
        for (int j = 0; j < count; j++) {
            double signed = Double.longBitsToDouble(Double.doubleToRawLongBits(sums[j]) ^ against[j]);
            sums[j] = how.normalize() && shares[j] != 0 ? signed / shares[j] : signed;
        }
    }
}
