package dev.pollux.internal.math;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * The largest singular values of a matrix with their vectors: D ≈ Σ σ<sub>i</sub>·u<sub>i</sub>·v<sub>i</sub>ᵀ.
 *
 * @param values (rank), descending
 * @param left (rank, rows), orthonormal
 * @param right (rank, columns): σ<sub>i</sub>·v<sub>i</sub>
 * @param squares the sum of squares of all elements of D
 */
public record LowRank(double[] values, double[][] left, double[][] right, double squares) {

    /*
     * Vectors of the shorter side come from the eigenvectors of D·Dᵀ. Where most of them are wanted that matrix is made and
     * decomposed. Where few are, a block Krylov space [X, (DDᵀ)X, (DDᵀ)²X, …] of a random X (Musco and Musco,
     * arXiv 1504.05477) grows, always kept orthonormal, until the sum of the wanted squares stays the same to 1e-7 of what is
     * left over; it seldom needs more than some four times the rank. A spectrum too flat for that falls back to the whole.
     */
    private static final int BLOCK = 16;
    private static final int SMALL = 160;
    private static final double SETTLED = 1e-7;
    private static final double FLOOR = 1e-13;
    private static final long SEED = 0x5eed;

    /** How many to keep. */
    @FunctionalInterface
    public interface Choice {
        /**
         * The rank for a matrix.
         *
         * @param values singular values, descending, the largest there are
         * @param squares the sum of the squares of all
         */
        int rank(double[] values, double squares);
    }

    /**
     * The largest singular values of a matrix, as many as {@code choice} takes, with their vectors.
     *
     * @param d (rows, columns), finite
     * @param most singular values to look for, in [1, min(rows, columns)]
     */
    public static LowRank of(FloatMatrix d, int most, Choice choice, BooleanSupplier cancelled) {
        FloatMatrix turned = d.transposed();
        boolean wide = d.rows() <= d.columns();
        FloatMatrix side = wide ? d : turned;
        FloatMatrix across = wide ? turned : d;
        int n = side.rows();
        double squares = d.squares();
        List<double[]> vectors = n <= SMALL || 3 * most >= n
                ? whole(side, across, most, cancelled)
                : new LowRank.Search(side, across, most, squares, cancelled).vectors();
        double[][] near = vectors.toArray(double[][]::new);
        double[][] far = side.multiply(near, cancelled); // (most, long side): σ·(other side's vector)
        double[] values = new double[near.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sqrt(Blas.dot(far[i], far[i], 0));
        }
        int rank = Math.min(most, choice.rank(values, squares));
        double[] kept = java.util.Arrays.copyOf(values, rank);
        near = java.util.Arrays.copyOf(near, rank);
        far = java.util.Arrays.copyOf(far, rank);
        if (wide) {
            return new LowRank(kept, near, far, squares);
        }
        return new LowRank(kept, normalized(far), scaled(near, kept), squares);
    }

    /** ‖D − Σ…‖ / ‖D‖; 0 for a matrix of zeros. */
    public double relativeError() {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return squares == 0 ? 0 : Math.sqrt(Math.max(0, squares - sum) / squares);
    }

    private static double[][] scaled(double[][] rows, double[] factors) {
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                rows[i][j] *= factors[i];
            }
        }
        return rows;
    }

    /** Divided by their lengths; any orthogonal directions where those are 0. */
    private static double[][] normalized(double[][] rows) {
        Orthonormal set = new Orthonormal(rows.length == 0 ? 0 : rows[0].length, new Random(SEED));
        for (double[] row : rows) {
            set.add(row);
        }
        return set.rows().toArray(double[][]::new);
    }

    private static List<double[]> whole(FloatMatrix side, FloatMatrix across, int most, BooleanSupplier cancelled) {
        int n = side.rows();
        double[][] gram = new double[n][];
        for (int first = 0; first < n; first += BLOCK) {
            Orthonormal.check(cancelled);
            int count = Math.min(BLOCK, n - first);
            double[][] rows = new double[count][];
            for (int i = 0; i < count; i++) {
                rows[i] = side.row(first + i);
            }
            System.arraycopy(across.multiply(rows, cancelled), 0, gram, first, count);
        }
        double[][] vectors = SymmetricEigen.of(gram, cancelled).vectors();
        return List.of(java.util.Arrays.copyOf(vectors, most));
    }

    /** The growing Krylov space. */
    private static final class Search {
        private final FloatMatrix matrix;
        private final FloatMatrix turned;
        private final int most;
        private final double squares;
        private final BooleanSupplier cancelled;
        private final Orthonormal basis;
        private final List<double[]> images = new ArrayList<>(); // Qᵀ·D, (basis, long side)

        Search(FloatMatrix matrix, FloatMatrix turned, int most, double squares, BooleanSupplier cancelled) {
            this.matrix = matrix;
            this.turned = turned;
            this.most = most;
            this.squares = squares;
            this.cancelled = cancelled;
            this.basis = new Orthonormal(matrix.rows(), new Random(SEED));
        }

        List<double[]> vectors() {
            int n = matrix.rows();
            double[][] block = new double[BLOCK][];
            for (int i = 0; i < BLOCK; i++) {
                block[i] = basis.randomVector();
            }
            double before = -1;
            int next = most + 2 * BLOCK;
            while (basis.rows().size() + BLOCK <= n * 2 / 3) {
                Orthonormal.check(cancelled);
                for (int i = 0; i < BLOCK; i++) {
                    block[i] = basis.add(block[i]);
                }
                double[][] image = matrix.multiply(block, cancelled);
                images.addAll(List.of(image));
                if (images.size() >= next) {
                    SymmetricEigen ritz = ritz();
                    double sum = 0;
                    for (int i = 0; i < most; i++) {
                        sum += ritz.values()[i];
                    }
                    if (sum - before <= SETTLED * Math.max(0, squares - sum) + FLOOR * squares) {
                        return rotated(ritz);
                    }
                    before = sum;
                    next = images.size() + Math.max(BLOCK, images.size() / 5);
                }
                block = turned.multiply(image, cancelled);
            }
            return whole(matrix, turned, most, cancelled);
        }

        private SymmetricEigen ritz() {
            int s = images.size();
            double[][] gram = new double[s][s];
            for (int i = 0; i < s; i++) {
                Orthonormal.check(cancelled);
                for (int j = 0; j <= i; j++) {
                    gram[i][j] = Blas.dot(images.get(i), images.get(j), 0);
                    gram[j][i] = gram[i][j];
                }
            }
            return SymmetricEigen.of(gram, cancelled);
        }

        private List<double[]> rotated(SymmetricEigen ritz) {
            List<double[]> vectors = new ArrayList<>();
            for (int i = 0; i < most; i++) {
                double[] sum = new double[matrix.rows()];
                for (int j = 0; j < basis.rows().size(); j++) {
                    Blas.add(ritz.vectors()[i][j], basis.rows().get(j), sum, 0);
                }
                vectors.add(sum);
            }
            return vectors;
        }
    }
}
