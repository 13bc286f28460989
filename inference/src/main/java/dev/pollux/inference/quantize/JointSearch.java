package dev.pollux.inference.quantize;

import java.util.Arrays;

/** Searches integer zero point and scale of a block together for the least squared error. */
final class JointSearch implements BlockMethod {

    /*
     * For every zero point z in 0 … Q and every shrink factor f in 0.70, 0.75, …, 1.00:
     *
     *   base = max(max / (Q − z), −min / z)      the scale that covers the range; a term with divisor 0 is 0
     *   d    = clamp(rhe(x / (base·f) + z), 0, Q) − z
     *   s    = Σ a·x·d / Σ a·d²                  the best scale for these codes (least squares), rounded to its stored type
     *   e    = Σ a·(x − s·d)²
     *
     * The first candidate with the least e wins; rounding to nearest is the last candidate, so that no block gets worse than by
     * rounding. a is the importance of a value, 1 without calibration.
     *
     * e is first computed as Σax² − 2s·Σaxd + s²·Σad² from sums of all lanes, which has an error of about 1e-15·Σax². Only where it
     * is not clearly above the best, Σ a·(x − s·d)² is summed for that lane, so that the choice is the one of the formula.
     */

    private static final double[] SHRINK = {0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.00};
    private static final double UNSURE = 1e-11;

    private final boolean safe;

    /** @param safe whether rounding to nearest is a candidate */
    JointSearch(boolean safe) {
        this.safe = safe;
    }

    /** The sums and the best candidate of each lane. */
    private static final class Search {
        final double[] least;
        final double[] most;
        final double[] inverse; // of base·f
        final double[] squares; // Σ a·x²
        final double[] products; // Σ a·x·d
        final double[] codeSquares; // Σ a·d²
        final double[] bestError;
        final double[] bestFactor;

        Search(int lanes) {
            least = new double[lanes];
            most = new double[lanes];
            inverse = new double[lanes];
            squares = new double[lanes];
            products = new double[lanes];
            codeSquares = new double[lanes];
            bestError = new double[lanes];
            bestFactor = new double[lanes];
        }
    }

    @Override
    public void code(BlockPanel panel) {
        Search search = new Search(panel.lanes);
        panel.ranges(search.least, search.most);
        squares(panel, search.squares);
        Arrays.fill(search.bestError, Double.POSITIVE_INFINITY);
        Arrays.fill(panel.scales, 0);
        Arrays.fill(panel.zeros, panel.middle());
        for (int zero = 0; zero <= panel.maxCode(); zero++) {
            for (double shrink : SHRINK) {
                inverses(panel, search, zero, shrink);
                sums(panel, search, zero);
                for (int l = 0; l < panel.lanes; l++) {
                    if (search.inverse[l] > 0) {
                        consider(panel, search, l, zero);
                    }
                }
            }
        }
        if (safe) {
            round(panel, search);
        }
        panel.codes(search.bestFactor);
    }

    private static void squares(BlockPanel panel, double[] squares) {
        for (int k = 0; k < panel.count; k++) {
            int at = k * panel.lanes;
            double a = panel.importance[k];
            for (int l = 0; l < panel.lanes; l++) {
                squares[l] += a * panel.values[at + l] * panel.values[at + l];
            }
        }
    }

    private static void inverses(BlockPanel panel, Search search, int zero, double shrink) {
        int above = panel.maxCode() - zero;
        for (int l = 0; l < panel.lanes; l++) {
            double up = above == 0 ? 0 : search.most[l] / above;
            double down = zero == 0 ? 0 : -search.least[l] / zero;
            double base = Math.max(up, down) * shrink;
            search.inverse[l] = base == 0 ? 0 : 1 / base;
        }
    }

    private static void sums(BlockPanel panel, Search search, int zero) {
        double[] products = search.products;
        double[] codeSquares = search.codeSquares;
        double[] inverse = search.inverse;
        double[] values = panel.values;
        int lanes = panel.lanes;
        Arrays.fill(products, 0, lanes, 0);
        Arrays.fill(codeSquares, 0, lanes, 0);
        double max = panel.maxCode();
        double half = max / 2 - zero;
        for (int k = 0; k < panel.count; k++) {
            int at = k * lanes;
            double a = panel.importance[k];
            for (int l = 0; l < lanes; l++) {
                double x = values[at + l];
                double code = x * inverse[l] + zero + BlockPanel.ROUND - BlockPanel.ROUND;
                double d = (Math.abs(code) - Math.abs(code - max)) * 0.5 + half; // clamped, exact for whole numbers
                double weighted = a * d;
                products[l] += weighted * x;
                codeSquares[l] += weighted * d;
            }
        }
    }

    private static void consider(BlockPanel panel, Search search, int l, int zero) {
        double codeSquares = search.codeSquares[l];
        if (codeSquares == 0) {
            return;
        }
        float scale = panel.stored(search.products[l] / codeSquares);
        if (scale <= 0) {
            return;
        }
        double near = search.squares[l] - 2.0 * scale * search.products[l] + (double) scale * scale * codeSquares;
        if (near >= search.bestError[l] + UNSURE * search.squares[l]) {
            return;
        }
        double error = panel.error(l, search.inverse[l], zero, scale);
        if (error < search.bestError[l]) {
            search.bestError[l] = error;
            search.bestFactor[l] = search.inverse[l];
            panel.scales[l] = scale;
            panel.zeros[l] = zero;
        }
    }

    private static void round(BlockPanel panel, Search search) {
        for (int l = 0; l < panel.lanes; l++) {
            float scale = RoundToNearest.scale(panel.format, search.least[l], search.most[l], false);
            if (scale == 0) {
                continue;
            }
            double zero = RoundToNearest.zero(panel.format, search.least[l], scale, false);
            double error = panel.error(l, 1.0 / scale, zero, scale);
            if (error < search.bestError[l]) {
                search.bestError[l] = error;
                search.bestFactor[l] = 1.0 / scale;
                panel.scales[l] = scale;
                panel.zeros[l] = zero;
            }
        }
    }
}
