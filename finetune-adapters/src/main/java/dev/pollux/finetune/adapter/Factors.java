package dev.pollux.finetune.adapter;

import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * The change of a matrix as a product, ΔW = s·BA, in double precision.
 *
 * @param b (out, r)
 * @param a (r, in)
 * @param scale s
 */
record Factors(double[][] b, double[][] a, double scale) {

    static Factors of(LowRankChange change) {
        return new Factors(rows(change.b()), rows(change.a()), change.scale());
    }

    private static double[][] rows(TensorSource source) {
        TensorSource ready = source.ready();
        int columns = source.shape().get(1).intValue();
        float[] row = new float[columns];
        double[][] rows = new double[source.shape().get(0).intValue()][columns];
        for (int i = 0; i < rows.length; i++) {
            ready.read((long) i * columns, columns, row, 0);
            for (int j = 0; j < columns; j++) {
                rows[i][j] = row[j];
            }
        }
        return rows;
    }

    /** The change of {@code matrix} in single precision. */
    LowRankChange rounded(String matrix, boolean embedding) {
        return new LowRankChange(floats(a, matrix), floats(b, matrix), scale, embedding);
    }

    private static HeldTensor floats(double[][] rows, String matrix) {
        int width = rows[0].length;
        float[] values = new float[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rows[i / width][i % width];
        }
        return new HeldTensor(List.of((long) rows.length, (long) width), values, matrix);
    }

    int rank() {
        return a.length;
    }

    /** x·y. */
    static double[][] product(double[][] x, double[][] y) {
        int columns = y.length == 0 ? 0 : y[0].length;
        double[][] result = new double[x.length][columns];
        for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < y.length; k++) {
                double c = x[i][k];
                for (int j = 0; j < columns; j++) {
                    result[i][j] += c * y[k][j];
                }
            }
        }
        return result;
    }

    static double[][] transposed(double[][] x) {
        double[][] result = new double[x.length == 0 ? 0 : x[0].length][x.length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < result.length; j++) {
                result[j][i] = x[i][j];
            }
        }
        return result;
    }
}
