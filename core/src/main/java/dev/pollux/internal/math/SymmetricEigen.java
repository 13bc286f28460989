package dev.pollux.internal.math;

import java.util.function.BooleanSupplier;

/**
 * Eigenvalues and eigenvectors of a dense symmetric matrix, largest first.
 *
 * <p>Householder reflections to tridiagonal form, then the implicit QL algorithm (Dubrulle, Martin and Wilkinson, "The
 * implicit QL algorithm", Numerische Mathematik 12, 1968). Vectors are kept as rows, so that every inner loop runs along
 * memory. About 9 n³ floating-point operations. <em>Immutable.</em>
 */
public final class SymmetricEigen {

    private static final int MOST_SWEEPS = 60;

    private final double[] values; // (n), descending
    private final double[][] vectors; // (n, n), one a row

    private SymmetricEigen(double[] values, double[][] vectors) {
        this.values = values;
        this.vectors = vectors;
    }

    /**
     * The eigenvalues and eigenvectors of a symmetric matrix.
     *
     * @param a (n, n), symmetric; overwritten
     * @param cancelled asked now and then; true ends with {@link dev.pollux.CancelledException}
     */
    public static SymmetricEigen of(double[][] a, BooleanSupplier cancelled) {
        int n = a.length;
        double[] diagonal = new double[n];
        double[] below = new double[n]; // below[i] between i and i + 1
        double[][] rows = tridiagonal(a, diagonal, below, cancelled);
        diagonalize(diagonal, below, rows, cancelled);
        Integer[] order = new Integer[n];
        for (int i = 0; i < n; i++) {
            order[i] = i;
        }
        java.util.Arrays.sort(order, (i, j) -> Double.compare(diagonal[j], diagonal[i]));
        double[] values = new double[n];
        double[][] vectors = new double[n][];
        for (int i = 0; i < n; i++) {
            values[i] = diagonal[order[i]];
            vectors[i] = rows[order[i]];
        }
        return new SymmetricEigen(values, vectors);
    }

    public double[] values() {
        return values;
    }

    /** (n, n); row i belongs to value i. */
    double[][] vectors() {
        return vectors;
    }

    /** Reduces {@code a} and gives Qᵀ with T = Qᵀ·A·Q. */
    private static double[][] tridiagonal(double[][] a, double[] diagonal, double[] below, BooleanSupplier cancelled) {
        int n = a.length;
        double[][] reflectors = new double[Math.max(0, n - 2)][];
        double[] betas = new double[Math.max(0, n - 2)];
        for (int k = 0; k < n - 2; k++) {
            Orthonormal.check(cancelled);
            double[] v = new double[n]; // zero up to k
            double scale = 0;
            for (int i = k + 1; i < n; i++) {
                v[i] = a[k][i];
                scale += v[i] * v[i];
            }
            double norm = v[k + 1] > 0 ? -Math.sqrt(scale) : Math.sqrt(scale);
            diagonal[k] = a[k][k];
            below[k] = norm;
            v[k + 1] -= norm;
            double square = -norm * v[k + 1]; // |v|² / 2
            reflectors[k] = v;
            betas[k] = square > 0 ? 1 / square : 0;
            if (betas[k] > 0) {
                reflect(a, v, betas[k], k + 1);
            }
        }
        for (int i = Math.max(0, n - 2); i < n; i++) {
            diagonal[i] = a[i][i];
        }
        if (n > 1) {
            below[n - 2] = a[n - 1][n - 2];
        }
        double[][] rows = new double[n][n];
        for (int i = 0; i < n; i++) {
            rows[i][i] = 1;
        }
        for (int k = n - 3; k >= 0; k--) {
            for (int i = k + 1; i < n && betas[k] > 0; i++) {
                Blas.add(-betas[k] * Blas.dot(rows[i], reflectors[k], k + 1), reflectors[k], rows[i], k + 1);
            }
        }
        return rows;
    }

    /** H·A·H for H = I − β·v·vᵀ, from index {@code from} on: A − v·wᵀ − w·vᵀ. */
    private static void reflect(double[][] a, double[] v, double beta, int from) {
        int n = v.length;
        double[] w = new double[n];
        for (int i = from; i < n; i++) {
            w[i] = beta * Blas.dot(a[i], v, from);
        }
        Blas.add(-beta * Blas.dot(w, v, from) / 2, v, w, from);
        for (int i = from; i < n; i++) {
            double[] row = a[i];
            double vi = v[i];
            double wi = w[i];
            for (int j = from; j < n; j++) {
                row[j] -= vi * w[j] + wi * v[j];
            }
        }
    }

    private static void diagonalize(double[] d, double[] e, double[][] rows, BooleanSupplier cancelled) {
        int n = d.length;
        for (int l = 0; l < n; l++) {
            Orthonormal.check(cancelled);
            int sweeps = 0;
            for (int m = smallBelow(d, e, l); m > l; m = smallBelow(d, e, l)) {
                if (sweeps++ == MOST_SWEEPS) {
                    throw new ArithmeticException("an eigenvalue did not settle in " + MOST_SWEEPS
                            + " sweeps; the matrix holds numbers that are not finite");
                }
                sweep(d, e, rows, l, m);
            }
        }
    }

    private static int smallBelow(double[] d, double[] e, int l) {
        int m = l;
        while (m < d.length - 1 && Math.abs(e[m]) > 0x1p-53 * (Math.abs(d[m]) + Math.abs(d[m + 1]))) {
            m++;
        }
        return m;
    }

    /** One implicit QL step over indices l … m with Wilkinson's shift. */
    private static void sweep(double[] d, double[] e, double[][] rows, int l, int m) {
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        double r = Math.hypot(g, 1);
        g = d[m] - d[l] + e[l] / (g + Math.copySign(r, g));
        double s = 1;
        double c = 1;
        double p = 0;
        for (int i = m - 1; i >= l; i--) {
            double f = s * e[i];
            double b = c * e[i];
            r = Math.hypot(f, g);
            e[i + 1] = r;
            if (r == 0) {
                d[i + 1] -= p;
                e[m] = 0;
                return;
            }
            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
            Blas.rotate(rows[i], rows[i + 1], c, s);
        }
        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }
}
