package dev.pollux.internal.math;

/** Solves XS = V for symmetric, positive definite S = UᵀU. <em>Thread-safe.</em> */
public final class Cholesky {

    /** Rows that finished rows are taken off while these lie in the nearest cache; a multiple of 4. */
    private static final int BLOCK = 16;

    private final double[][] factor; // (n, n): U, and below its diagonal Uᵀ

    private Cholesky(double[][] factor) {
        this.factor = factor;
    }

    /**
     * Decomposes in place.
     *
     * @param s (n, n); only the upper triangle is read
     * @throws IllegalArgumentException if it is not positive definite
     */
    public static Cholesky of(double[][] s) {
        int n = s.length;
        double[] four = new double[4];
        for (int begin = 0; begin < n; begin += BLOCK) {
            int end = Math.min(n, begin + BLOCK);
            for (int k = 0; k < begin; k += 4) {
                for (int i = begin; i < end; i++) {
                    for (int f = 0; f < 4; f++) {
                        four[f] = -s[k + f][i];
                    }
                    Blas.add(four, s, k, s[i], i, n);
                }
            }
            for (int i = begin; i < end; i++) {
                for (int k = begin; k < i; k++) {
                    Blas.add(-s[k][i], s[k], s[i], i);
                }
                finish(s[i], i);
            }
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                s[i][j] = s[j][i];
            }
        }
        return new Cholesky(s);
    }

    private static void finish(double[] row, int i) {
        double pivot = row[i];
        if (!(pivot > 0) || !Double.isFinite(pivot)) {
            throw new IllegalArgumentException("the sum of the Gram matrices must be positive definite but pivot " + i
                    + " is " + pivot + "; take them from inputs again, in 32-bit floats");
        }
        double root = Math.sqrt(pivot);
        for (int j = i; j < row.length; j++) {
            row[j] /= root;
        }
    }

    /**
     * Replaces {@code v} by X. All rows are solved together, so that the factor is read once.
     *
     * @param v (any, n)
     */
    public void solve(double[][] v) {
        int n = factor.length;
        int whole = n / 4 * 4;
        double[] four = new double[4];
        for (int k = 0; k < whole; k += 4) { // YU = V
            for (double[] row : v) {
                forward(row, k, k + 4, four);
                Blas.add(four, factor, k, row, k + 4, n);
            }
        }
        for (double[] row : v) {
            forward(row, whole, n, four);
            backward(row, n, whole, 0, four);
        }
        for (int k = whole - 4; k >= 0; k -= 4) { // XUᵀ = Y
            for (double[] row : v) {
                backward(row, k + 4, k, k, four);
                Blas.add(four, factor, k, row, 0, k);
            }
        }
    }

    /** Solves for elements {@code from} … {@code to} − 1, at most four, and gives their negatives. */
    private void forward(double[] row, int from, int to, double[] negatives) {
        for (int k = from; k < to; k++) {
            row[k] /= factor[k][k];
            negatives[k - from] = -row[k];
            for (int j = k + 1; j < to; j++) {
                row[j] -= row[k] * factor[k][j];
            }
        }
    }

    /**
     * Solves for elements {@code to} − 1 … {@code from}, at most four, takes them off those from {@code lowest} on, and gives
     * their negatives.
     */
    private void backward(double[] row, int to, int from, int lowest, double[] negatives) {
        for (int k = to - 1; k >= from; k--) {
            row[k] /= factor[k][k];
            negatives[k - from] = -row[k];
            for (int j = lowest; j < k; j++) {
                row[j] -= row[k] * factor[k][j];
            }
        }
    }
}
