package dev.pollux.finetune.train;

import dev.pollux.internal.math.FloatMatrix;
import dev.pollux.internal.math.LowRank;
import java.util.SplittableRandom;

/** First factors that are made of a matrix. */
final class WeightFactors {

    private WeightFactors() {}

    /** A number of the standard normal distribution (Box and Muller, 1958). */
    static double gaussian(SplittableRandom random) {
        double radius = Math.sqrt(-2 * Math.log(1 - random.nextDouble()));
        return radius * Math.cos(2 * Math.PI * random.nextDouble());
    }

    /**
     * PiSSA (Meng et al., arXiv:2404.02948): W = U S Vᵀ, A = √(S / scale) Vᵀ and B = U √(S / scale) of the largest values.
     *
     * @param matrix W, (rows, columns)
     * @param a receives (rank, columns)
     * @param b receives (rows, rank)
     */
    static void principal(FloatMatrix matrix, int rank, double scale, float[] a, float[] b) {
        int rows = matrix.rows();
        int columns = matrix.columns();
        LowRank found = LowRank.of(matrix, rank, (values, squares) -> rank, () -> false);
        for (int i = 0; i < found.values().length; i++) {
            double value = found.values()[i];
            double root = Math.sqrt(value / scale);
            for (int j = 0; j < columns && value > 0; j++) {
                a[i * columns + j] = (float) (root * found.right()[i][j] / value);
            }
            for (int j = 0; j < rows; j++) {
                b[j * rank + i] = (float) (root * found.left()[i][j]);
            }
        }
    }

    /**
     * OLoRA (Büyükakyüz, arXiv:2406.01775): W = Q R, B the first columns of Q and A the first rows of R. Columns are made
     * orthogonal one after the other, twice, against rounding.
     */
    static void orthogonal(FloatMatrix matrix, int rank, float[] a, float[] b) {
        int rows = matrix.rows();
        int columns = matrix.columns();
        float[] w = matrix.values();
        double[][] q = new double[rank][rows];
        for (int i = 0; i < rank; i++) {
            for (int row = 0; row < rows; row++) {
                q[i][row] = w[row * columns + i];
            }
            for (int again = 0; again < 2; again++) {
                for (int j = 0; j < i; j++) {
                    add(q[i], q[j], -dot(q[i], q[j]));
                }
            }
            double length = Math.sqrt(dot(q[i], q[i]));
            for (int row = 0; row < rows && length > 0; row++) {
                q[i][row] /= length;
                b[row * rank + i] = (float) q[i][row];
            }
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    a[i * columns + column] += (float) (q[i][row] * w[row * columns + column]);
                }
            }
        }
    }

    private static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    private static void add(double[] sum, double[] x, double factor) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * x[i];
        }
    }
}
