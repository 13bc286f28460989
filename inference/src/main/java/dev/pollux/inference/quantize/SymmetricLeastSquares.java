package dev.pollux.inference.quantize;

import java.util.Arrays;

/**
 * Symmetric codes with the scale of least squares. m is the value of largest magnitude, M = 2^(bits − 1). For n in M − 1.5, M −
 * 1.4, …, M + 1.0 and both signs, minus first:
 *
 * <pre>
 * d = clamp(rhe(x / (∓m / n) + M), 0, 2M − 1) − M
 * s = Σ a·x·d / Σ a·d²     rounded to its stored type
 * e = Σ a·(x − s·d)²       the first candidate with the least e wins
 * </pre>
 */
final class SymmetricLeastSquares implements BlockMethod {

    private static final int STEPS = 26;

    @Override
    public void code(BlockPanel panel) {
        double[] least = new double[panel.lanes];
        double[] most = new double[panel.lanes];
        double[] factors = new double[panel.lanes];
        panel.ranges(least, most);
        Arrays.fill(panel.zeros, panel.middle());
        for (int l = 0; l < panel.lanes; l++) {
            double extreme = most[l] > -least[l] ? most[l] : least[l];
            panel.scales[l] = 0;
            if (extreme != 0) {
                factors[l] = search(panel, l, extreme);
            }
        }
        panel.codes(factors);
    }

    /** Sets the scale of a lane; returns the factor by which values become codes. */
    private static double search(BlockPanel panel, int l, double extreme) {
        double bestError = Double.POSITIVE_INFINITY;
        double bestFactor = 0;
        for (int step = 0; step < STEPS; step++) {
            double n = panel.middle() - 1.5 + 0.1 * step;
            for (int sign = -1; sign <= 1; sign += 2) {
                double factor = sign * n / extreme;
                float scale = panel.stored(scale(panel, l, factor));
                if (scale == 0) {
                    continue;
                }
                double error = panel.error(l, factor, panel.middle(), scale);
                if (error < bestError) {
                    bestError = error;
                    bestFactor = factor;
                    panel.scales[l] = scale;
                }
            }
        }
        return bestFactor;
    }

    /** Σ a·x·d / Σ a·d²; 0 where all codes are 0. */
    private static double scale(BlockPanel panel, int l, double factor) {
        double products = 0;
        double squares = 0;
        double middle = panel.middle();
        double max = panel.maxCode();
        for (int k = 0; k < panel.count; k++) {
            double x = panel.values[k][l];
            double d = Math.max(0, Math.min(max, Math.rint(x * factor + middle))) - middle;
            products += panel.importance[k] * x * d;
            squares += panel.importance[k] * d * d;
        }
        return squares == 0 ? 0 : products / squares;
    }
}
