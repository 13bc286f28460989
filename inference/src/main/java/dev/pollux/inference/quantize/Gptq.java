package dev.pollux.inference.quantize;

import dev.pollux.internal.math.Cholesky;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * GPTQ (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", arXiv:2210.17323):
 * rounds the inputs of a matrix one after the other and corrects the inputs that are still to come for the error, so that the
 * error of the outputs on given inputs is small.
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
     * U follows from the Cholesky factor of H in reversed order: with P the reversal, PHP = LᵀL form gives H = V·Vᵀ with V upper, and
     * H⁻¹ = V⁻ᵀ·V⁻¹, so U = V⁻¹.
     *
     * Scale and zero point of a group of inputs are those of rounding to nearest: of the current weights when the order arrives at the
     * group (GROUPS_OF_CURRENT), or of the original ones (GROUPS_OF_ORIGINAL), with which inputs may be taken in any order without
     * an index of groups in the result. Codes, scales and zero points come out of the sweep; they are never derived from Ŵ.
     */

    /** The share of the mean diagonal that is added to the diagonal. */
    static final double DAMPING = 0.01;

    /** The order of inputs and where scales come from. */
    enum Variant {
        /** Inputs in order; scales of a group from the weights as corrected so far. */
        PLAIN,
        /** Inputs in order; scales from the original weights. */
        STATIC_GROUPS,
        /** Inputs by descending diagonal of H, so that the largest are rounded first; scales from the original weights. */
        ACTIVATION_ORDER
    }

    private final double[][] inverse; // (K, K), U in the order of inputs
    private final int[] order; // (K)
    private final boolean[] dead; // (K)
    private final Variant variant;

    private Gptq(double[][] inverse, int[] order, boolean[] dead, Variant variant) {
        this.inverse = inverse;
        this.order = order;
        this.dead = dead;
        this.variant = variant;
    }

    /**
     * Prepares the sweep for matrices that read the same inputs.
     *
     * @param hessian (K, K), 2/n · XᵀX; it is not changed
     * @throws IllegalArgumentException if it is not finite
     */
    static Gptq of(double[][] hessian, double damping, Variant variant) {
        int n = hessian.length;
        double mean = 0;
        boolean[] dead = new boolean[n];
        double[] diagonal = new double[n];
        for (int j = 0; j < n; j++) {
            dead[j] = hessian[j][j] == 0;
            diagonal[j] = dead[j] ? 1 : hessian[j][j];
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
        double[][] reversed = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                int a = order[n - 1 - i];
                int b = order[n - 1 - j];
                reversed[i][j] = i == j ? diagonal[a] + damping * mean : hessian[a][b];
            }
        }
        return new Gptq(upperInverse(reversed), order, dead, variant);
    }

    /** U with H⁻¹ = UᵀU, given H in reversed order, which is overwritten. */
    private static double[][] upperInverse(double[][] reversed) {
        int n = reversed.length;
        Cholesky.of(reversed); // the factor R, upper, with RᵀR: V is Rᵀ in reversed order of both axes
        double[][] v = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                v[i][j] = reversed[n - 1 - j][n - 1 - i];
            }
        }
        double[][] u = new double[n][n];
        for (int i = n - 1; i >= 0; i--) { // row i of V⁻¹ from the rows below it
            double[] row = u[i];
            row[i] = 1;
            for (int k = i + 1; k < n; k++) {
                double factor = -v[i][k];
                for (int j = k; j < n; j++) {
                    row[j] += factor * u[k][j];
                }
            }
            for (int j = i; j < n; j++) {
                row[j] /= v[i][i];
            }
        }
        return u;
    }

    /** Codes with the scale and the zero point of each group. */
    record Result(byte[] codes, float[] scales, float[] zeros) {}

    /**
     * Rounds one row of a matrix.
     *
     * @param weights (K); overwritten
     * @return codes (K), scales and zero points (groups)
     */
    Result row(double[] weights, BlockFormat format, boolean symmetric) {
        int n = weights.length;
        for (int j = 0; j < n; j++) {
            weights[j] = dead[j] ? 0 : weights[j];
        }
        int groups = format.blocks(n);
        Result result = new Result(new byte[n], new float[groups], new float[groups]);
        if (variant != Variant.PLAIN) {
            for (int group = 0; group < groups; group++) {
                group(weights, group, format, symmetric, result);
            }
        }
        int most = (1 << format.bits()) - 1;
        for (int i = 0; i < n; i++) {
            int j = order[i];
            int group = j / format.blockSize();
            if (variant == Variant.PLAIN && j % format.blockSize() == 0) {
                group(weights, group, format, symmetric, result);
            }
            double scale = result.scales[group];
            double zero = result.zeros[group];
            double code = scale == 0 ? zero : Math.max(0, Math.min(most, Math.rint(weights[j] / scale + zero)));
            result.codes[j] = (byte) (int) code;
            double error = (weights[j] - (code - zero) * scale) / inverse[i][i];
            double[] factors = inverse[i];
            for (int k = i + 1; k < n; k++) {
                weights[order[k]] -= factors[k] * error;
            }
        }
        return result;
    }

    private static void group(double[] weights, int group, BlockFormat format, boolean symmetric, Result result) {
        double least = 0;
        double most = 0;
        int from = group * format.blockSize();
        for (int j = from; j < Math.min(weights.length, from + format.blockSize()); j++) {
            least = Math.min(least, weights[j]);
            most = Math.max(most, weights[j]);
        }
        result.scales[group] = RoundToNearest.scale(format, least, most, symmetric);
        result.zeros[group] = (float) RoundToNearest.zero(format, least, result.scales[group], symmetric);
    }
}
