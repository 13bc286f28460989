package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.tensor.TensorSink;
import java.util.Arrays;

/** Sums over whole tensors, and weighted sums of them. */
final class Vectors {

    /** Above this sum of magnitudes, the error of 32-bit sums could be visible in 16 bits. */
    private static final double MAX_NARROW = 8;

    private Vectors() {}

    /**
     * The inner products of whole tensors.
     *
     * @param base whether to subtract source 0 from the others
     * @return (n, n), n the number of sources without the base
     */
    static double[][] gram(TensorWindows in, boolean base) {
        int skip = base ? 1 : 0;
        int n = in.sources() - skip;
        double[][] gram = new double[n][n];
        float[][] deltas = new float[n][];
        in.pass((x, first, count) -> {
            for (int i = 0; base && i < n; i++) {
                deltas[i] = subtract(x[i + 1], x[0], count, deltas[i]);
            }
            float[][] v = base ? deltas : x;
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    gram[i][j] += Kernels.BEST.dot(v[i], v[j], 0, count);
                }
            }
        });
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                gram[j][i] = gram[i][j];
            }
        }
        return gram;
    }

    /**
     * a − b of a window, rounded to floats.
     *
     * @param into the result array if it is large enough
     * @return (≥ count)
     */
    static float[] subtract(float[] a, float[] b, int count, float @org.jspecify.annotations.Nullable [] into) {
        float[] difference = room(into, count);
        Kernels.BEST.subtract(a, b, difference, 0, count);
        return difference;
    }

    /** Returns {@code into} if it has {@code count} elements, otherwise a new array; the first {@code count} are 0. */
    static float[] zeros(float[] into, int count) {
        if (into.length < count) {
            return new float[count];
        }
        Arrays.fill(into, 0, count, 0);
        return into;
    }

    /** Returns {@code into} if it has {@code count} elements, otherwise a new array. */
    static float[] room(float @org.jspecify.annotations.Nullable [] into, int count) {
        return into != null && into.length >= count ? into : new float[count];
    }

    /** Writes Σ c<sub>i</sub>x<sub>i</sub>; sums are 64-bit, or 32-bit if the result is rounded to 16 bits. */
    static void combine(TensorWindows in, double[] coefficients, TensorSink out) {
        boolean narrow =
                out.isNarrow() && Arrays.stream(coefficients).map(Math::abs).sum() <= MAX_NARROW;
        Sum sum = new Sum();
        float[][] rounded = new float[1][];
        in.pass((x, first, count) -> {
            if (narrow) {
                rounded[0] = room(rounded[0], count);
                weigh(x, coefficients, rounded[0], count);
                out.put(rounded[0], count);
            } else {
                sum.begin(count);
                for (int i = 0; i < coefficients.length; i++) {
                    sum.add(coefficients[i], x[i], 0, count);
                }
                sum.put(out);
            }
        });
    }

    /** Σ c<sub>i</sub>x<sub>i</sub> in floats. */
    static void weigh(float[][] x, double[] coefficients, float[] into, int count) {
        Kernels.BEST.scale(x[0], (float) coefficients[0], into, 0, count);
        for (int i = 1; i < coefficients.length; i++) {
            Kernels.BEST.add(x[i], (float) coefficients[i], into, 0, count);
        }
    }

    /** Writes, as {@link #combine} does, x<sub>0</sub> + Σ c<sub>i</sub>(x<sub>i</sub> − x<sub>0</sub>). */
    static void combineDeltas(TensorWindows in, double[] coefficients, TensorSink out) {
        double[] all = new double[coefficients.length + 1];
        System.arraycopy(coefficients, 0, all, 1, coefficients.length);
        all[0] = 1 - Arrays.stream(coefficients).sum();
        combine(in, all, out);
    }

    /** A weighted sum of one window. */
    static final class Sum {
        private double[] sum = new double[0]; // (≥ count)
        private float[] rounded = new float[0]; // (≥ count)
        private int count;

        /** Begins a sum of {@code count} zeros. */
        void begin(int elements) {
            count = elements;
            if (sum.length < elements) {
                sum = new double[elements];
                rounded = new float[elements];
            } else {
                Arrays.fill(sum, 0, elements, 0);
            }
        }

        /** Adds factor·x for a part of the window. */
        void add(double factor, float[] x, int from, int some) {
            for (int i = from; i < from + some; i++) {
                sum[i] += factor * x[i];
            }
        }

        /** Writes the sum, rounded to floats. */
        void put(TensorSink out) {
            for (int i = 0; i < count; i++) {
                rounded[i] = (float) sum[i];
            }
            out.put(rounded, count);
        }
    }
}
