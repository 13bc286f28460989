package dev.pollux.internal.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Singular values beside those of the whole decomposition, for spectra that are easy and hard. */
class LowRankTest {

    private static final long SEED = 20_261_125;

    @Test
    void symmetricMatricesAreTheSumOfTheirEigenvectors() {
        Random random = new Random(SEED);
        for (int n : new int[] {1, 2, 3, 5, 40}) {
            double[][] a = new double[n][n];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    a[i][j] = random.nextGaussian();
                    a[j][i] = a[i][j];
                }
            }
            double[][] copy = new double[n][];
            for (int i = 0; i < n; i++) {
                copy[i] = a[i].clone();
            }
            SymmetricEigen eigen = SymmetricEigen.of(copy, () -> false);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int k = 0; k < n; k++) {
                        sum += eigen.values()[k] * eigen.vectors()[k][i] * eigen.vectors()[k][j];
                    }
                    assertThat(sum).as("seed %d, n %d", SEED, n).isCloseTo(a[i][j], within(1e-10));
                }
            }
            assertThat(eigen.values()).isSortedAccordingTo((x, y) -> Double.compare(y, x));
        }
    }

    @Test
    void aFewSingularValuesAreThoseOfTheWholeForDecayingAndFlatSpectra() {
        for (double decay : new double[] {0, 0.5, 1.5}) {
            for (int[] shape : new int[][] {{200, 330}, {330, 200}}) {
                FloatMatrix matrix = matrix(shape[0], shape[1], decay);
                LowRank few = LowRank.of(matrix, 12, (values, squares) -> 12, () -> false);
                LowRank all = LowRank.of(matrix, 200, (values, squares) -> 12, () -> false);
                assertThat(few.relativeError())
                        .as("seed %d, decay %s", SEED, decay)
                        .isCloseTo(all.relativeError(), within(1e-6));
                assertThat(error(matrix, few)).isCloseTo(all.relativeError(), within(1e-6));
                assertThat(few.values()).containsExactly(all.values(), within(1e-3 * all.values()[0]));
            }
        }
    }

    @Test
    void aMatrixOfLowerRankThanAskedForHasOrthonormalVectors() {
        float[] values = new float[300 * 200];
        values[5] = 2;
        values[200 + 7] = 1;
        LowRank found = LowRank.of(new FloatMatrix(300, 200, values), 4, (v, s) -> 4, () -> false);

        assertThat(found.values()).containsExactly(new double[] {2, 1, 0, 0}, within(1e-9));
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j <= i; j++) {
                assertThat(Blas.dot(found.left()[i], found.left()[j], 0)).isCloseTo(i == j ? 1 : 0, within(1e-9));
            }
        }
    }

    private static double error(FloatMatrix matrix, LowRank factors) {
        double sum = 0;
        for (int i = 0; i < matrix.rows(); i++) {
            double[] row = matrix.row(i);
            for (int k = 0; k < factors.values().length; k++) {
                Blas.add(-factors.left()[k][i], factors.right()[k], row, 0);
            }
            sum += Blas.dot(row, row, 0);
        }
        return Math.sqrt(sum / matrix.squares());
    }

    /** Σ i^−decay·u·vᵀ of random, nearly orthogonal directions. */
    private static FloatMatrix matrix(int rows, int columns, double decay) {
        Random random = new Random(SEED);
        float[] values = new float[rows * columns];
        int terms = Math.min(rows, columns);
        for (int k = 0; k < terms; k++) {
            double size = Math.pow(k + 1, -decay);
            double[] v = new double[columns];
            for (int j = 0; j < columns; j++) {
                v[j] = random.nextGaussian();
            }
            for (int i = 0; i < rows; i++) {
                double u = size * random.nextGaussian();
                for (int j = 0; j < columns; j++) {
                    values[i * columns + j] += (float) (u * v[j]);
                }
            }
        }
        return new FloatMatrix(rows, columns, values);
    }
}
