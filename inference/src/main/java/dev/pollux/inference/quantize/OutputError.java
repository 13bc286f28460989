package dev.pollux.inference.quantize;

import java.util.Arrays;

/** The squared error of outputs Σ ‖δx‖² = δGδᵀ over inputs x with Σ xxᵀ = G. <em>Immutable, thread-safe.</em> */
final class OutputError {

    /*
     * Rows of δ are the lanes of a panel: δGδᵀ = Σ_i δ_i · (2·Σ_{j<i} G_ij δ_j + G_ii δ_i), with one loop over the lanes for four j.
     */

    private static final int LANES = 32;

    private final double[][] gram; // row i has at least i + 1 elements

    OutputError(double[][] gram) {
        this.gram = gram;
    }

    /**
     * The error of each row.
     *
     * @param differences (rows, K)
     */
    double[] of(float[] differences) {
        int width = gram.length;
        double[] errors = new double[differences.length / width];
        double[][] panel = new double[width][LANES];
        for (int row = 0; row < errors.length; row += LANES) {
            int some = Math.min(LANES, errors.length - row);
            for (int i = 0; i < width; i++) {
                for (int l = 0; l < some; l++) {
                    panel[i][l] = differences[(row + l) * width + i];
                }
            }
            double[] sums = panel(panel);
            System.arraycopy(sums, 0, errors, row, some);
        }
        return errors;
    }

    private double[] panel(double[][] panel) {
        double[] sums = new double[LANES];
        double[] twice = new double[LANES];
        for (int i = 0; i < panel.length; i++) {
            double[] row = gram[i];
            Arrays.fill(twice, 0);
            int j = 0;
            for (; j + 4 <= i; j += 4) {
                add(panel, j, row, twice);
            }
            for (; j < i; j++) {
                add(panel[j], row[j], twice);
            }
            finish(panel[i], row[i], twice, sums);
        }
        return sums;
    }

    private static void add(double[][] panel, int j, double[] row, double[] into) {
        double a = row[j];
        double b = row[j + 1];
        double c = row[j + 2];
        double d = row[j + 3];
        double[] p = panel[j];
        double[] q = panel[j + 1];
        double[] r = panel[j + 2];
        double[] s = panel[j + 3];
        for (int l = 0; l < LANES; l++) {
            into[l] += a * p[l] + b * q[l] + (c * r[l] + d * s[l]);
        }
    }

    private static void add(double[] difference, double factor, double[] into) {
        for (int l = 0; l < LANES; l++) {
            into[l] += factor * difference[l];
        }
    }

    private static void finish(double[] difference, double factor, double[] twice, double[] sums) {
        for (int l = 0; l < LANES; l++) {
            sums[l] += difference[l] * (2 * twice[l] + factor * difference[l]);
        }
    }
}
