package dev.pollux.inference.quantize;

/**
 * Rounding to nearest, in double precision. The range includes 0; the scale is rounded to its stored type first.
 *
 * <pre>
 * asymmetric   s = (max − min) / (2^bits − 1)     z = rhe(−min / s)     code = clamp(rhe(x / s + z))
 * symmetric    s = −m / 2^(bits − 1)              z = 2^(bits − 1)      m: the value of largest magnitude
 * s = 0        code = z = 2^(bits − 1)
 * </pre>
 */
final class RoundToNearest implements BlockMethod {

    private final boolean symmetric;

    RoundToNearest(boolean symmetric) {
        this.symmetric = symmetric;
    }

    /** Whether there are no zero points. */
    boolean symmetric() {
        return symmetric;
    }

    @Override
    public void code(BlockPanel panel) {
        double[] least = new double[panel.lanes];
        double[] most = new double[panel.lanes];
        panel.ranges(least, most);
        double[] factors = new double[panel.lanes];
        for (int l = 0; l < panel.lanes; l++) {
            panel.scales[l] = scale(panel.format, least[l], most[l], symmetric);
            panel.zeros[l] = zero(panel.format, least[l], panel.scales[l], symmetric);
            factors[l] = panel.scales[l] == 0 ? 0 : 1.0 / panel.scales[l];
        }
        panel.codes(factors);
    }

    static float scale(BlockFormat format, double least, double most, boolean symmetric) {
        if (symmetric) {
            return format.stored(-(most > -least ? most : least) / format.middle());
        }
        return format.stored((most - least) / format.maxCode());
    }

    static double zero(BlockFormat format, double least, float scale, boolean symmetric) {
        if (symmetric || scale == 0) {
            return format.middle();
        }
        return Math.max(0, Math.min(format.maxCode(), Math.rint(-least / scale)));
    }
}
