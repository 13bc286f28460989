package dev.pollux.internal.math;

/** Inner products of sums of vectors, from those of the vectors. */
public final class Quadratic {

    private Quadratic() {}

    /** ‖Σ c<sub>i</sub>u<sub>i</sub>‖² of vectors with inner products {@code gram}, (n, n). */
    public static double of(double[] c, double[][] gram) {
        double sum = 0;
        for (int i = 0; i < c.length; i++) {
            sum += c[i] * row(c, gram[i]);
        }
        return sum;
    }

    /** Σ c<sub>j</sub>·row<sub>j</sub>. */
    public static double row(double[] c, double[] row) {
        double sum = 0;
        for (int j = 0; j < c.length; j++) {
            sum += c[j] * row[j];
        }
        return sum;
    }
}
