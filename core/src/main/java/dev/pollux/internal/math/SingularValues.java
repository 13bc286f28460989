package dev.pollux.internal.math;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The thin singular value decomposition M = U·diag(s)·Vᵀ of a matrix with few columns, by one-sided Jacobi rotations
 * (Hestenes, "Inversion of matrices by biorthogonalization and related results", 1958), which keep small values as exact as
 * large ones. For matrices with many columns there is {@link LowRank}.
 *
 * @param u (rows, n), a column for each value; 0 where the value is
 * @param values (n), descending, from 0
 * @param v (n, n)
 */
public record SingularValues(double[][] u, double[] values, double[][] v) {

    private static final int MAX_SWEEPS = 60;
    private static final double CONVERGED = 1e-14;

    /** Threshold relative to the largest value; smaller values are treated as 0. */
    private static final double ZERO = 1e-12;

    /** The decomposition of {@code matrix}, (rows, n). */
    public static SingularValues of(double[][] matrix) {
        int rows = matrix.length;
        int n = rows == 0 ? 0 : matrix[0].length;
        double[][] columns = new double[n][rows]; // of the matrix, rotated until they are orthogonal
        double[][] rotations = new double[n][n]; // columns of V
        for (int j = 0; j < n; j++) {
            rotations[j][j] = 1;
            for (int i = 0; i < rows; i++) {
                columns[j][i] = matrix[i][j];
            }
        }
        boolean rotated = true;
        for (int sweep = 0; rotated && sweep < MAX_SWEEPS; sweep++) {
            rotated = false;
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    rotated |= orthogonalize(columns, rotations, p, q);
                }
            }
        }
        return sorted(columns, rotations);
    }

    private static boolean orthogonalize(double[][] columns, double[][] rotations, int p, int q) {
        double pp = Blas.dot(columns[p], columns[p], 0);
        double qq = Blas.dot(columns[q], columns[q], 0);
        double pq = Blas.dot(columns[p], columns[q], 0);
        if (Math.abs(pq) <= CONVERGED * Math.sqrt(pp * qq)) {
            return false;
        }
        double zeta = (qq - pp) / (2 * pq);
        double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        double c = 1 / Math.sqrt(1 + t * t);
        Blas.rotate(columns[p], columns[q], c, c * t);
        Blas.rotate(rotations[p], rotations[q], c, c * t);
        return true;
    }

    private static SingularValues sorted(double[][] columns, double[][] rotations) {
        int n = columns.length;
        double[] norms = new double[n];
        Arrays.setAll(norms, j -> Math.sqrt(Blas.dot(columns[j], columns[j], 0)));
        int[] order = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(j -> -norms[j]))
                .mapToInt(j -> j)
                .toArray();
        double largest = n == 0 ? 0 : norms[order[0]];
        double[][] u = new double[n == 0 ? 0 : columns[0].length][n];
        double[][] v = new double[n][n];
        double[] values = new double[n];
        for (int k = 0; k < n; k++) {
            int j = order[k];
            values[k] = norms[j] <= ZERO * largest ? 0 : norms[j];
            for (int i = 0; i < u.length; i++) {
                u[i][k] = values[k] == 0 ? 0 : columns[j][i] / norms[j];
            }
            for (int i = 0; i < n; i++) {
                v[i][k] = rotations[j][i];
            }
        }
        return new SingularValues(u, values, v);
    }
}
