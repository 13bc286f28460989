package dev.pollux.inference.quantize;

import dev.pollux.internal.math.Blas;
import dev.pollux.internal.math.Cholesky;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * GPTQ (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", arXiv:2210.17323):
 * rounds the inputs of a matrix one after the other and corrects the inputs that are still to come for the error, so that the
 * error of the outputs on given inputs is small. <em>Immutable, thread-safe.</em>
 */
final class Gptq {

    /*
     * With inputs X (samples, K) and weights W (N, K):
     *
     *   H = 2/n · XᵀX                      input j is dead if H_jj = 0: then H_jj = 1 and column j of W is 0
     *   H += damping · mean(diag H) · I
     *   H⁻¹ = Uᵀ·U, U upper triangular     so that U_jk describes inputs j … K once those before j are fixed
     *
     * For each input j in the order: ŵ_j = the rounded w_j; e_j = (w_j − ŵ_j) / U_jj; w_k −= U_jk · e_j for each later k. The rows of
     * W are independent of one another.
     *
     * U follows from the Cholesky factor of H in reversed order: with P the reversal, PHP = L·Lᵀ, and U = P·L⁻¹·P. L⁻¹ takes the
     * place of L, so that one matrix is held besides H.
     *
     * The errors e solve Uᵀe = w − ŵ, so Σ e² = δHδᵀ with δ = w − ŵ and the damped H, for any ŵ: a sweep over given codes measures
     * them. The error of outputs is that less damping · mean(diag H) · Σ δ².
     *
     * A sweep works on a panel of rows, one a lane, with U in blocks of inputs: a block is finished before later inputs are corrected
     * for all of its errors at once, in the same order as one by one, so that the block size does not change a bit.
     *
     * Scale and zero point of a group of inputs are those of the current weights when the order arrives at the group (PLAIN), or of
     * the original ones, with which inputs may be taken in any order without an index of groups in the result. Codes, scales and zero
     * points come out of the sweep; they are never derived from Ŵ.
     */

    /** The share of the mean diagonal that is added to the diagonal. */
    static final double DAMPING = 0.01;

    private static final int LANES = 32;
    private static final int BLOCK = 64;
    private static final int INVERTED = 16;

    /** The order of inputs and where scales come from. */
    enum Variant {
        /** Inputs in order; scales of a group from the weights as corrected so far. */
        PLAIN,
        /** Inputs in order; scales from the original weights. */
        STATIC_GROUPS,
        /** Inputs by descending diagonal of H, so that the largest are rounded first; scales from the original weights. */
        ACTIVATION_ORDER
    }

    private final double[][]
            inverse; // (K, K), U in the order of inputs, backwards in both axes: U_ik = inverse[K − 1 − i][K − 1 − k]
    private final int[] order; // (K)
    private final boolean[] dead; // (K)
    private final double[] diagonal; // (K), of H without damping, in the order of columns
    private final double ridge;
    private final Variant variant;

    private Gptq(double[][] inverse, int[] order, boolean[] dead, double[] diagonal, double ridge, Variant variant) {
        this.inverse = inverse;
        this.order = order;
        this.dead = dead;
        this.diagonal = diagonal;
        this.ridge = ridge;
        this.variant = variant;
    }

    /**
     * Prepares the sweep for matrices that read the same inputs.
     *
     * @param gram Σ xxᵀ over the inputs; only its lower triangle is read, and it is not changed
     * @param factor what makes it H: 2 / the number of inputs
     * @throws IllegalArgumentException if it is not finite
     */
    static Gptq of(double[][] gram, double factor, double damping, Variant variant) {
        int n = gram.length;
        double mean = 0;
        boolean[] dead = new boolean[n];
        double[] diagonal = new double[n];
        for (int j = 0; j < n; j++) {
            dead[j] = gram[j][j] == 0;
            diagonal[j] = dead[j] ? 1 : gram[j][j] * factor;
            mean += diagonal[j] / n;
        }
        int[] order = IntStream.range(0, n).toArray();
        if (variant == Variant.ACTIVATION_ORDER) {
            order = IntStream.range(0, n)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer j) -> -diagonal[j])) // stable
                    .mapToInt(Integer::intValue)
                    .toArray();
        }
        double ridge = damping * mean;
        double[][] reversed = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                int a = order[n - 1 - i];
                int b = order[n - 1 - j];
                reversed[i][j] = i == j ? diagonal[a] + ridge : gram[Math.max(a, b)][Math.min(a, b)] * factor;
            }
        }
        Cholesky.of(reversed);
        invert(reversed);
        return new Gptq(reversed, order, dead, diagonal, ridge, variant);
    }

    /** Replaces L, the lower triangle, by its inverse, and what is above it by zeros. */
    private static void invert(double[][] lower) {
        int n = lower.length;
        double[][] made = new double[INVERTED][n];
        double[] four = new double[4];
        for (int begin = 0; begin < n; begin += INVERTED) {
            int end = Math.min(n, begin + INVERTED);
            for (int i = begin; i < end; i++) {
                Arrays.fill(made[i - begin], 0);
            }
            for (int k = 0; k < begin; k += 4) { // the rows above are finished
                for (int i = begin; i < end; i++) {
                    for (int f = 0; f < 4; f++) {
                        four[f] = -lower[i][k + f];
                    }
                    Blas.add(four, lower, k, made[i - begin], 0, k + 4);
                }
            }
            for (int i = begin; i < end; i++) {
                double[] row = made[i - begin];
                for (int k = begin; k < i; k++) {
                    double factor = -lower[i][k];
                    for (int j = 0; j <= k; j++) {
                        row[j] += factor * made[k - begin][j];
                    }
                }
                row[i] = 1;
                for (int j = 0; j <= i; j++) {
                    row[j] /= lower[i][i];
                }
            }
            for (int i = begin; i < end; i++) {
                System.arraycopy(made[i - begin], 0, lower[i], 0, n);
            }
        }
    }

    /** The diagonal of H, (K); 1 for a dead input. */
    double[] importance() {
        return diagonal.clone();
    }

    /**
     * Rounds rows of a matrix.
     *
     * @param values (rows, K)
     * @param grid chooses scales and zero points; its codes are replaced. {@link Variant#PLAIN} takes {@link RoundToNearest} only
     * @param importance weights of the grid's squared error by column, (K); empty for 1
     */
    CodedRows rows(float[] values, BlockFormat format, BlockMethod grid, double... importance) {
        float[] live = live(values);
        CodedRows coded = CodedRows.of(live, order.length, format, grid, importance);
        sweep(live, coded, grid);
        coded.measure(values);
        return coded;
    }

    /** Weights without those of dead inputs. */
    float[] live(float[] values) {
        float[] live = values.clone();
        for (int i = 0; i < live.length; i++) {
            if (dead[i % order.length]) {
                live[i] = 0;
            }
        }
        return live;
    }

    /**
     * The error δHδᵀ of each row without damping: the squared error of its output, in proportion.
     *
     * @param values (rows, K), those of dead inputs 0, as are those of the codes
     */
    double[] errors(float[] values, CodedRows coded) {
        return sweep(values, coded, panel -> {}, true);
    }

    /**
     * Replaces the codes by those of a sweep.
     *
     * @param live (rows, K), without the weights of dead inputs
     * @param grid chose the scales and zero points
     * @return the {@link #errors} of each row
     */
    double[] sweep(float[] live, CodedRows coded, BlockMethod grid) {
        return sweep(live, coded, grid, false);
    }

    /** Rounds every row, or only measures given codes. */
    private double[] sweep(float[] live, CodedRows coded, BlockMethod grid, boolean given) {
        double[] errors = new double[coded.rows];
        Panel panel = new Panel(coded, grid, given);
        for (int row = 0; row < coded.rows; row += LANES) {
            panel.run(live, row, errors);
        }
        return errors;
    }

    /** Some rows in a sweep. <em>Not thread-safe: one thread at a time.</em> */
    private final class Panel {

        private final int n = order.length;
        private final double[][] weights = new double[n][LANES]; // in the order of inputs
        private final double[][] errors; // (step, lanes)
        private final double[] losses = new double[LANES];
        private final double[] squares = new double[LANES];
        private final CodedRows coded;
        private final boolean given;
        private final boolean moving;
        private final boolean symmetric;
        private final int step;

        Panel(CodedRows coded, BlockMethod grid, boolean given) {
            this.coded = coded;
            this.given = given;
            this.moving = variant == Variant.PLAIN && !given;
            this.symmetric = grid instanceof RoundToNearest rounding && rounding.symmetric();
            this.step = moving ? coded.blockSize : BLOCK;
            this.errors = new double[step][LANES];
        }

        void run(float[] live, int row, double[] into) {
            int some = Math.min(LANES, coded.rows - row);
            for (int i = 0; i < n; i++) {
                for (int l = 0; l < some; l++) {
                    weights[i][l] = live[(row + l) * n + order[i]];
                }
            }
            Arrays.fill(losses, 0);
            Arrays.fill(squares, 0);
            for (int begin = 0; begin < n; begin += step) {
                int end = Math.min(n, begin + step);
                if (moving) {
                    group(row, some, begin, end);
                }
                block(live, row, some, begin, end);
                later(begin, end);
            }
            for (int l = 0; l < some; l++) {
                into[row + l] = losses[l] - ridge * squares[l];
            }
        }

        private void block(float[] live, int row, int some, int begin, int end) {
            for (int i = begin; i < end; i++) {
                double[] error = errors[i - begin];
                double[] factors = inverse[n - 1 - i];
                round(live, row, some, i, error, factors[n - 1 - i]);
                for (int k = i + 1; k < end; k++) {
                    take(weights[k], factors[n - 1 - k], error);
                }
            }
        }

        /** Rounds an input of all lanes. */
        private void round(float[] live, int row, int some, int i, double[] error, double pivot) {
            int j = order[i];
            int most = (1 << coded.bits) - 1;
            for (int l = 0; l < some; l++) {
                int block = (row + l) * coded.blocks + j / coded.blockSize;
                int at = block * coded.blockSize + j % coded.blockSize;
                double scale = coded.scales[block];
                double zero = coded.zeros[block];
                double weight = weights[i][l];
                double code = coded.codes[at] & 0xff;
                if (!given) {
                    code = scale == 0 ? zero : Math.max(0, Math.min(most, Math.rint(weight / scale + zero)));
                    coded.codes[at] = (byte) (int) code;
                }
                double rounded = (code - zero) * scale;
                double off = live[(row + l) * n + j] - rounded;
                error[l] = (weight - rounded) / pivot;
                losses[l] += error[l] * error[l];
                squares[l] += off * off;
            }
        }

        /** Corrects the inputs after a block for its errors. */
        private void later(int begin, int end) {
            int whole = begin + (end - begin) / 4 * 4;
            for (int k = end; k < n; k++) {
                for (int i = begin; i < whole; i += 4) {
                    take(weights[k], k, i, begin);
                }
                for (int i = whole; i < end; i++) {
                    take(weights[k], inverse[n - 1 - i][n - 1 - k], errors[i - begin]);
                }
            }
        }

        private void take(double[] weight, int k, int i, int begin) {
            int column = n - 1 - k;
            double a = inverse[n - 1 - i][column];
            double b = inverse[n - 2 - i][column];
            double c = inverse[n - 3 - i][column];
            double d = inverse[n - 4 - i][column];
            double[] p = errors[i - begin];
            double[] q = errors[i + 1 - begin];
            double[] r = errors[i + 2 - begin];
            double[] s = errors[i + 3 - begin];
            for (int l = 0; l < LANES; l++) {
                weight[l] = weight[l] - a * p[l] - b * q[l] - c * r[l] - d * s[l];
            }
        }

        private static void take(double[] weight, double factor, double[] error) {
            for (int l = 0; l < LANES; l++) {
                weight[l] -= factor * error[l];
            }
        }

        /** Scales and zero points of the group {@code begin} … {@code end} − 1 from its current weights. */
        private void group(int row, int some, int begin, int end) {
            BlockFormat format = coded.format();
            for (int l = 0; l < some; l++) {
                double least = 0;
                double most = 0;
                for (int i = begin; i < end; i++) {
                    least = Math.min(least, weights[i][l]);
                    most = Math.max(most, weights[i][l]);
                }
                int block = (row + l) * coded.blocks + begin / coded.blockSize;
                coded.scales[block] = RoundToNearest.scale(format, least, most, symmetric);
                coded.zeros[block] = (float) RoundToNearest.zero(format, least, coded.scales[block], symmetric);
            }
        }
    }
}
