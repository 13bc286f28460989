package dev.pollux.merge;

import java.util.Arrays;

/** Sums over whole tensors, and weighted sums of them. */
final class Vectors {

    /** Elements whose sums fit the nearest cache. */
    static final int BLOCK = 1 << 11;

    /** Above this sum of magnitudes the error of sums in floats could show in 16 bits. */
    private static final double MAX_NARROW = 8;

    private Vectors() {}

    /** Σ a·b of a window, in four sums so that additions need not wait for one another. */
    static double dot(float[] a, float[] b, int at, int count) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int end = at + count;
        int i = at;
        for (; i < end - 3; i += 4) {
            s0 += (double) a[i] * b[i];
            s1 += (double) a[i + 1] * b[i + 1];
            s2 += (double) a[i + 2] * b[i + 2];
            s3 += (double) a[i + 3] * b[i + 3];
        }
        for (; i < end; i++) {
            s0 += (double) a[i] * b[i];
        }
        return s0 + s1 + (s2 + s3);
    }

    /**
     * The inner products of whole tensors.
     *
     * @param base whether source 0 is subtracted from the others
     * @return (n, n), over the sources without the base
     */
    static double[][] gram(TensorWindows in, boolean base) {
        int skip = base ? 1 : 0;
        int n = in.sources() - skip;
        double[][] gram = new double[n][n];
        float[][] deltas = new float[n][];
        in.pass((x, at, first, count) -> {
            int from = at;
            if (base) {
                for (int i = 0; i < n; i++) {
                    deltas[i] = subtract(x[i + 1], x[0], at, count, deltas[i]);
                }
                from = 0;
            }
            float[][] v = base ? deltas : x;
            if (n == 2) {
                addPair(v[0], v[1], from, count, gram);
                return;
            }
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    gram[i][j] += dot(v[i], v[j], from, count);
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

    /** The three products of two windows, read once. */
    private static void addPair(float[] a, float[] b, int at, int count, double[][] gram) {
        double aa = 0;
        double ab = 0;
        double bb = 0;
        double aa1 = 0;
        double ab1 = 0;
        double bb1 = 0;
        int end = at + count;
        int i = at;
        for (; i < end - 1; i += 2) {
            double a0 = a[i];
            double b0 = b[i];
            double a1 = a[i + 1];
            double b1 = b[i + 1];
            aa += a0 * a0;
            ab += a0 * b0;
            bb += b0 * b0;
            aa1 += a1 * a1;
            ab1 += a1 * b1;
            bb1 += b1 * b1;
        }
        if (i < end) {
            aa += (double) a[i] * a[i];
            ab += (double) a[i] * b[i];
            bb += (double) b[i] * b[i];
        }
        gram[0][0] += aa + aa1;
        gram[1][0] += ab + ab1;
        gram[1][1] += bb + bb1;
    }

    /**
     * a − b of a window, rounded to floats.
     *
     * @param into used if it is large enough
     * @return (≥ count), from index 0
     */
    static float[] subtract(float[] a, float[] b, int at, int count, float @org.jspecify.annotations.Nullable [] into) {
        float[] difference = room(into, count);
        Lanes.subtract(a, b, at, difference, count);
        return difference;
    }

    /** Σ |x| of a window, in four sums as {@link #dot}. */
    static double magnitude(float[] x, int count) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i < count - 3; i += 4) {
            s0 += Math.abs(x[i]);
            s1 += Math.abs(x[i + 1]);
            s2 += Math.abs(x[i + 2]);
            s3 += Math.abs(x[i + 3]);
        }
        for (; i < count; i++) {
            s0 += Math.abs(x[i]);
        }
        return s0 + s1 + (s2 + s3);
    }

    /** {@code into} if it holds {@code count} elements, or a new array. */
    static float[] room(float @org.jspecify.annotations.Nullable [] into, int count) {
        return into != null && into.length >= count ? into : new float[count];
    }

    /** Writes Σ c<sub>i</sub>x<sub>i</sub>; the sums are double, or float where the result is rounded to 16 bits. */
    static void combine(TensorWindows in, double[] coefficients, TensorSink out) {
        boolean narrow =
                out.isNarrow() && Arrays.stream(coefficients).map(Math::abs).sum() <= MAX_NARROW;
        double[] sums = new double[narrow ? 0 : BLOCK];
        float[][] rounded = new float[1][];
        in.pass((x, at, first, count) -> {
            float[] to = room(rounded[0], count);
            rounded[0] = to;
            if (narrow) {
                weigh(x, at, coefficients, to, count);
            } else {
                weigh(x, at, coefficients, sums, to, count);
            }
            out.put(to, count);
        });
    }

    /** Σ c<sub>i</sub>x<sub>i</sub> in floats. */
    static void weigh(float[][] x, int at, double[] coefficients, float[] into, int count) {
        for (int from = 0; from < count; from += BLOCK) {
            int some = Math.min(BLOCK, count - from);
            Lanes.scale(x[0], at + from, (float) coefficients[0], into, from, some);
            for (int i = 1; i < coefficients.length; i++) {
                Lanes.add(x[i], at + from, (float) coefficients[i], into, from, some);
            }
        }
    }

    private static void weigh(float[][] x, int at, double[] coefficients, double[] sums, float[] into, int count) {
        for (int from = 0; from < count; from += BLOCK) {
            int some = Math.min(BLOCK, count - from);
            weigh(x, at + from, coefficients, sums, some);
            for (int j = 0; j < some; j++) {
                into[from + j] = (float) sums[j];
            }
        }
    }

    /** Σ c<sub>i</sub>x<sub>i</sub> of {@code count} elements into {@code sums}. */
    static void weigh(float[][] x, int at, double[] coefficients, double[] sums, int count) {
        for (int i = 0; i < coefficients.length; i++) {
            float[] values = x[i];
            double c = coefficients[i];
            if (i == 0) {
                for (int j = 0; j < count; j++) {
                    sums[j] = c * values[at + j];
                }
            } else {
                for (int j = 0; j < count; j++) {
                    sums[j] += c * values[at + j];
                }
            }
        }
    }

    /** As {@link #combine}, of x<sub>0</sub> and the differences from it: x<sub>0</sub> + Σ c<sub>i</sub>(x<sub>i</sub> − x<sub>0</sub>). */
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

        /** Adds factor·x. */
        void add(double factor, float[] x, int at) {
            for (int i = 0; i < count; i++) {
                sum[i] += factor * x[at + i];
            }
        }

        /** Adds factor·x for a part of the window. */
        void add(double factor, float[] x, int at, int from, int some) {
            for (int i = from; i < from + some; i++) {
                sum[i] += factor * x[at + i];
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
