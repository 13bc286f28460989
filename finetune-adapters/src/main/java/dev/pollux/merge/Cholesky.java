package dev.pollux.merge;

/** Solves xS = v for symmetric, positive definite S = LLᵀ. <em>Thread-safe.</em> */
final class Cholesky {

    private final double[] lower; // (n, n), of which the lower triangle counts
    private final int n;

    private Cholesky(double[] lower, int n) {
        this.lower = lower;
        this.n = n;
    }

    /**
     * Decomposes in place.
     *
     * @param matrix (n, n)
     * @throws IllegalArgumentException if it is not positive definite
     */
    static Cholesky of(double[] matrix, int n) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = matrix[i * n + j];
                for (int k = 0; k < j; k++) {
                    sum -= matrix[i * n + k] * matrix[j * n + k];
                }
                if (i != j) {
                    matrix[i * n + j] = sum / matrix[j * n + j];
                } else if (sum > 0 && Double.isFinite(sum)) {
                    matrix[i * n + i] = Math.sqrt(sum);
                } else {
                    throw new IllegalArgumentException(
                            "the sum of the Gram matrices must be positive definite but pivot " + i + " is " + sum
                                    + "; take them from inputs again, in 32-bit floats");
                }
            }
        }
        return new Cholesky(matrix, n);
    }

    /** {@code v} becomes x. */
    void solve(double[] v) {
        for (int i = 0; i < n; i++) {
            double sum = v[i];
            for (int k = 0; k < i; k++) {
                sum -= lower[i * n + k] * v[k];
            }
            v[i] = sum / lower[i * n + i];
        }
        for (int i = n - 1; i >= 0; i--) {
            v[i] /= lower[i * n + i];
            double x = v[i];
            for (int k = 0; k < i; k++) {
                v[k] -= lower[i * n + k] * x;
            }
        }
    }
}
