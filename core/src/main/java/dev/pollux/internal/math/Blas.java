package dev.pollux.internal.math;

/** Operations on vectors of doubles that the decompositions use, written as loops that the compiler vectorizes. */
public final class Blas {

    private Blas() {}

    /** Σ x·y over indices {@code from} on, in four partial sums. */
    public static double dot(double[] x, double[] y, int from) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i < x.length - 3; i += 4) {
            a += x[i] * y[i];
            b += x[i + 1] * y[i + 1];
            c += x[i + 2] * y[i + 2];
            d += x[i + 3] * y[i + 3];
        }
        for (; i < x.length; i++) {
            a += x[i] * y[i];
        }
        return a + b + (c + d);
    }

    /** y += factor·x over indices {@code from} on. */
    public static void add(double factor, double[] x, double[] y, int from) {
        for (int i = from; i < x.length; i++) {
            y[i] += factor * x[i];
        }
    }

    /** y += Σ factors[k]·x[row + k] for four rows, over indices from {@code from} to before {@code to}. */
    public static void add(double[] factors, double[][] x, int row, double[] y, int from, int to) {
        double a = factors[0];
        double b = factors[1];
        double c = factors[2];
        double d = factors[3];
        double[] p = x[row];
        double[] q = x[row + 1];
        double[] r = x[row + 2];
        double[] s = x[row + 3];
        for (int i = from; i < to; i++) {
            y[i] += a * p[i] + b * q[i] + (c * r[i] + d * s[i]);
        }
    }

    /** x, y = c·x − s·y, s·x + c·y. */
    static void rotate(double[] x, double[] y, double c, double s) {
        for (int i = 0; i < x.length; i++) {
            double before = x[i];
            x[i] = c * before - s * y[i];
            y[i] = s * before + c * y[i];
        }
    }
}
