package dev.pollux.internal.math;

import java.util.function.BooleanSupplier;

/**
 * A dense matrix of floats.
 *
 * @param values (rows·columns), row by row
 */
public record FloatMatrix(int rows, int columns, float[] values) {

    /** Columns of a product that are done at a time, so that they stay in the nearest caches. */
    private static final int TILE = 1024;

    private static final int SIDE = 32;

    public FloatMatrix transposed() {
        float[] turned = new float[values.length];
        for (int i0 = 0; i0 < rows; i0 += SIDE) {
            for (int j0 = 0; j0 < columns; j0 += SIDE) {
                for (int i = i0; i < Math.min(rows, i0 + SIDE); i++) {
                    for (int j = j0; j < Math.min(columns, j0 + SIDE); j++) {
                        turned[j * rows + i] = values[i * columns + j];
                    }
                }
            }
        }
        return new FloatMatrix(columns, rows, turned);
    }

    double squares() {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    double[] row(int i) {
        double[] row = new double[columns];
        for (int j = 0; j < columns; j++) {
            row[j] = values[i * columns + j];
        }
        return row;
    }

    /** X·M for X (any, rows): (any, columns), in doubles. */
    public double[][] multiply(double[][] x, BooleanSupplier cancelled) {
        double[][] y = new double[x.length][columns];
        double[][] four = new double[4][TILE];
        for (int c0 = 0; c0 < columns; c0 += TILE) {
            Orthonormal.check(cancelled);
            int count = Math.min(TILE, columns - c0);
            for (int i = 0; i < rows; i += 4) {
                int some = Math.min(4, rows - i);
                for (int k = 0; k < 4; k++) {
                    for (int c = 0; c < count; c++) {
                        four[k][c] = k < some ? values[(i + k) * columns + c0 + c] : 0;
                    }
                }
                for (int j = 0; j < x.length; j++) {
                    double[] from = x[j];
                    add(
                            from[i],
                            some > 1 ? from[i + 1] : 0,
                            some > 2 ? from[i + 2] : 0,
                            some > 3 ? from[i + 3] : 0,
                            four,
                            y[j],
                            c0,
                            count);
                }
            }
        }
        return y;
    }

    private static void add(double a, double b, double c, double d, double[][] four, double[] y, int at, int count) {
        double[] p = four[0];
        double[] q = four[1];
        double[] r = four[2];
        double[] s = four[3];
        for (int i = 0; i < count; i++) {
            y[at + i] += a * p[i] + b * q[i] + (c * r[i] + d * s[i]);
        }
    }
}
