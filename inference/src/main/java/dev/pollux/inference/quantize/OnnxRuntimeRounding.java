package dev.pollux.inference.quantize;

/**
 * Rounding to nearest as the default quantizer of ONNX Runtime does it, bit for bit: in 32-bit floats, halves away from zero.
 *
 * <pre>
 * asymmetric   s = (max − min) / (2^bits − 1)     z = clamp(rha(−min / s)), 0 for s = 0
 * symmetric    s = m / −2^(bits − 1)              z = 2^(bits − 1)      m = |max| &gt; |min| ? max : min
 * r = 1 / s, 0 for s = 0
 * MATMUL       code = clamp(rha(x·r + z))
 * QDQ          code = clamp(rha(x·r) + z)
 * GATHER       code = clamp(rhe(x / s) + z); z = rhe(−min / s), 2^(bits − 1) for s = 0
 * </pre>
 */
final class OnnxRuntimeRounding implements BlockMethod {

    /** The operator for which the codes are made; the runtime has one formula for each. */
    enum Target {
        MATMUL,
        QDQ,
        GATHER
    }

    private final boolean symmetric;
    private final Target target;

    OnnxRuntimeRounding(boolean symmetric, Target target) {
        this.symmetric = symmetric;
        this.target = target;
    }

    @Override
    public void code(BlockPanel panel) {
        double[] least = new double[panel.lanes];
        double[] most = new double[panel.lanes];
        panel.ranges(least, most);
        for (int l = 0; l < panel.lanes; l++) {
            code(panel, l, (float) least[l], (float) most[l]);
        }
    }

    private void code(BlockPanel panel, int lane, float least, float most) {
        float scale = symmetric
                ? (Math.abs(most) > Math.abs(least) ? most : least) / -panel.middle()
                : (most - least) / panel.maxCode();
        float zero = panel.middle();
        if (!symmetric && target == Target.GATHER) {
            zero = scale == 0 ? panel.middle() : (float) Math.rint(-least / scale);
        } else if (!symmetric) {
            zero = scale == 0 ? 0 : (float) Math.max(0, Math.min(panel.maxCode(), away(-least / scale)));
        }
        float stored = panel.stored(scale);
        float inverse = stored == 0 ? 0 : 1 / stored;
        panel.scales[lane] = stored;
        panel.zeros[lane] = zero;
        for (int k = 0; k < panel.count; k++) {
            double code = code((float) panel.values[k][lane], stored, inverse, zero);
            panel.codes[k][lane] = Math.max(0, Math.min(panel.maxCode(), code));
        }
    }

    private double code(float x, float scale, float inverse, float zero) {
        return switch (target) {
            case MATMUL -> away(x * inverse + zero);
            case QDQ -> away(x * inverse) + zero;
            case GATHER -> scale == 0 ? zero : Math.rint(x / scale) + zero;
        };
    }

    /** The nearest integer, halves away from zero. */
    private static double away(float x) {
        return Math.copySign(Math.floor(Math.abs((double) x) + 0.5), x);
    }
}
