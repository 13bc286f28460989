package dev.pollux.inference.quantize;

/** Codes matrices that read the same inputs, by GPTQ. <em>Immutable, thread-safe.</em> */
final class HessianCoder {

    /*
     * A row gets the codes with the least error of its output among
     *
     *   rounding to nearest, and a sweep with its scales
     *   the search of scales and zero points weighted by the diagonal of H, and a sweep with them
     *
     * Rows are independent, so that the error of no matrix is larger than that of rounding to nearest.
     */

    private final Gptq gptq;
    private final double[] importance;

    private HessianCoder(Gptq gptq) {
        this.gptq = gptq;
        this.importance = gptq.importance();
    }

    /**
     * Prepares the coder.
     *
     * @param gram Σ xxᵀ over the inputs; only its lower triangle is read
     * @param inputs how many there were
     * @throws IllegalArgumentException if the inputs are not finite
     */
    static HessianCoder of(double[][] gram, long inputs) {
        return new HessianCoder(Gptq.of(gram, 2.0 / inputs, Gptq.DAMPING, Gptq.Variant.ACTIVATION_ORDER));
    }

    /**
     * Codes rows.
     *
     * @param values (rows, K)
     */
    CodedRows code(float[] values, BlockFormat format, boolean symmetric) {
        float[] live = gptq.live(values);
        BlockMethod nearest = new RoundToNearest(symmetric);
        BlockMethod search = symmetric ? new SymmetricLeastSquares() : new JointSearch(true);
        CodedRows best = CodedRows.of(live, importance.length, format, nearest);
        double[] least = gptq.errors(live, best);
        keep(gptq, live, CodedRows.of(live, importance.length, format, nearest), nearest, best, least);
        CodedRows searched = CodedRows.of(live, importance.length, format, search, importance);
        keepIfLess(searched, gptq.errors(live, searched), best, least);
        keep(gptq, live, searched, search, best, least);
        best.measure(values);
        return best;
    }

    private static void keep(
            Gptq gptq, float[] live, CodedRows coded, BlockMethod grid, CodedRows best, double[] least) {
        keepIfLess(coded, gptq.sweep(live, coded, grid), best, least);
    }

    private static void keepIfLess(CodedRows coded, double[] errors, CodedRows best, double[] least) {
        for (int row = 0; row < errors.length; row++) {
            if (errors[row] < least[row]) {
                least[row] = errors[row];
                best.take(row, coded);
            }
        }
    }
}
