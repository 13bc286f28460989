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
     * At 8 bits only zero points near that of rounding to nearest are tried, and the middle, with which symmetric weights are exact.
     *
     * The first candidate with the least e wins; rounding to nearest is the last candidate, so that no block gets worse than by
     * rounding. a is the importance of a value, 1 without calibration.
     *
     * The least e for given codes is Σax² − (Σaxd)² / Σad². It is compared with the best from sums of all lanes, which have an error
     * of about 1e-15·Σax². Only where the two are closer than 1e-11·Σax², Σ a·(x − s·d)² is summed for both, so that the choice is the
     * one of the formula.
     *
     * The least e of the first half of a block is a lower bound of its e. A candidate whose bound is above the error of the best or of
     * rounding to nearest in every lane is given up there.
     */

    private static final double[] SHRINK = {0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.00};
    private static final double UNSURE = 1e-11;

    /** At 8 bits, zero points at most so far from that of rounding to nearest are candidates, and the middle. */
    private static final int NEAR = 3;

    private final boolean safe;

    /** @param safe whether rounding to nearest is a candidate */
    JointSearch(boolean safe) {
        this.safe = safe;
    }

    /** The sums and the best candidate of each lane. */
    private static final class Search {
        final double[] least;
        final double[] most;
        final double[] zero; // z
        final double[] inverseBase; // 1 / base
        final double[] inverse; // 1 / (base·f)
        final double[] squares; // Σ a·x²
        final double[] firstSquares; // Σ a·x² of the first half
        final double[] nearest; // error of rounding to nearest
        final double[] products; // Σ a·x·d
        final double[] codeSquares; // Σ a·d²
        final double[] gain; // Σ a·x² − best error − what the sums may be off
        final double[] bestError;
        final double[] bestFactor;

        Search(int lanes) {
            least = new double[lanes];
            most = new double[lanes];
            zero = new double[lanes];
            inverseBase = new double[lanes];
            inverse = new double[lanes];
            gain = new double[lanes];
            squares = new double[lanes];
            firstSquares = new double[lanes];
            nearest = new double[lanes];
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
        squares(panel, search.squares, panel.count);
        squares(panel, search.firstSquares, panel.count / 2);
        nearest(panel, search);
        Arrays.fill(search.bestError, Double.POSITIVE_INFINITY);
        Arrays.fill(search.gain, Double.NEGATIVE_INFINITY);
        Arrays.fill(panel.scales, 0);
        Arrays.fill(panel.zeros, panel.middle());
        int candidates = panel.format.bits() == 8 ? 2 * NEAR + 2 : panel.maxCode() + 1;
        for (int candidate = 0; candidate < candidates; candidate++) {
            zeros(panel, search, candidate);
            bases(panel, search);
            for (double shrink : SHRINK) {
                for (int l = 0; l < panel.lanes; l++) {
                    search.inverse[l] = search.inverseBase[l] * (1 / shrink);
                }
                if (!sums(panel, search)) {
                    continue;
                }
                for (int l = 0; l < panel.lanes; l++) {
                    double products = search.products[l];
                    if (!(search.gain[l] * search.codeSquares[l] > products * products)) {
                        consider(panel, search, l);
                    }
                }
            }
        }
        if (safe) {
            round(panel, search);
        }
        panel.codes(search.bestFactor);
    }

    /** Σ a·x² of the first values. */
    private static void squares(BlockPanel panel, double[] squares, int count) {
        for (int k = 0; k < count; k++) {
            double[] x = panel.values[k];
            double a = panel.importance[k];
            for (int l = 0; l < panel.lanes; l++) {
                squares[l] += a * x[l] * x[l];
            }
        }
    }

    /** The zero points of a candidate: the same for all lanes, except at 8 bits. */
    private static void zeros(BlockPanel panel, Search search, int candidate) {
        int max = panel.maxCode();
        for (int l = 0; l < panel.lanes; l++) {
            double zero = candidate;
            if (panel.format.bits() == 8) {
                double range = search.most[l] - search.least[l];
                double rounded = range == 0 ? panel.middle() : Math.rint(-search.least[l] / range * max);
                zero = candidate > 2 * NEAR ? panel.middle() : Math.max(0, Math.min(max, rounded + candidate - NEAR));
            }
            search.zero[l] = zero;
        }
    }

    private static void bases(BlockPanel panel, Search search) {
        for (int l = 0; l < panel.lanes; l++) {
            double zero = search.zero[l];
            double above = panel.maxCode() - zero;
            double up = above == 0 ? 0 : search.most[l] / above;
            double down = zero == 0 ? 0 : -search.least[l] / zero;
            double base = Math.max(up, down);
            search.inverseBase[l] = base == 0 ? 0 : 1 / base;
        }
    }

    /** Whether the sums are complete: without them, no lane gets better. */
    private static boolean sums(BlockPanel panel, Search search) {
        Arrays.fill(search.products, 0);
        Arrays.fill(search.codeSquares, 0);
        int half = panel.count / 2;
        sums(panel, search, 0, half);
        if (isHopeless(search, panel.lanes)) {
            return false;
        }
        sums(panel, search, half, panel.count);
        return true;
    }

    private static void sums(BlockPanel panel, Search search, int from, int to) {
        for (int k = from; k < to; k++) {
            if (panel.importance[k] == 1) {
                add(panel.values[k], search, panel.maxCode(), panel.lanes);
            } else {
                add(panel.values[k], search, panel.maxCode(), panel.lanes, panel.importance[k]);
            }
        }
    }

    /** Whether the first half of every lane alone has a larger error than rounding to nearest, or the best, has in all. */
    private static boolean isHopeless(Search search, int lanes) {
        for (int l = 0; l < lanes; l++) {
            double bound = Math.min(search.bestError[l], search.nearest[l]) + 2 * UNSURE * search.squares[l];
            double products = search.products[l];
            if (!((search.firstSquares[l] - bound) * search.codeSquares[l] > products * products)) {
                return false;
            }
        }
        return true;
    }

    /** The error of rounding to nearest; infinite if it is no candidate. */
    private void nearest(BlockPanel panel, Search search) {
        Arrays.fill(search.nearest, Double.POSITIVE_INFINITY);
        if (!safe) {
            return;
        }
        for (int l = 0; l < panel.lanes; l++) {
            float scale = RoundToNearest.scale(panel.format, search.least[l], search.most[l], false);
            if (scale != 0) {
                double zero = RoundToNearest.zero(panel.format, search.least[l], scale, false);
                search.nearest[l] = panel.error(l, 1.0 / scale, zero, scale);
            }
        }
    }

    private static void add(double[] x, Search search, double max, int lanes) {
        add(x, search.inverse, search.zero, search.products, search.codeSquares, max, lanes);
    }

    /** Arrays are parameters: the loop is turned into vector instructions only so. */
    private static void add(
            double[] x,
            double[] inverse,
            double[] zero,
            double[] products,
            double[] codeSquares,
            double max,
            int lanes) {
        for (int l = 0; l < lanes; l++) {
            double code = x[l] * inverse[l] + zero[l] + BlockPanel.ROUND - BlockPanel.ROUND;
            double d =
                    (Math.abs(code) - Math.abs(code - max) + max) * 0.5 - zero[l]; // clamped, exact for whole numbers
            products[l] += d * x[l];
            codeSquares[l] += d * d;
        }
    }

    private static void add(double[] x, Search search, double max, int lanes, double importance) {
        for (int l = 0; l < lanes; l++) {
            double code = x[l] * search.inverse[l] + search.zero[l] + BlockPanel.ROUND - BlockPanel.ROUND;
            double d = (Math.abs(code) - Math.abs(code - max) + max) * 0.5 - search.zero[l];
            search.products[l] += importance * d * x[l];
            search.codeSquares[l] += importance * d * d;
        }
    }

    private static void consider(BlockPanel panel, Search search, int l) {
        double codeSquares = search.codeSquares[l];
        if (codeSquares == 0 || search.inverse[l] == 0) {
            return;
        }
        float scale = panel.stored(search.products[l] / codeSquares);
        if (scale <= 0) {
            return;
        }
        double error = search.squares[l] - 2.0 * scale * search.products[l] + (double) scale * scale * codeSquares;
        propose(panel, search, l, new Candidate(search.inverse[l], search.zero[l], scale, error));
    }

    /** @param error Σ a·(x − s·d)², which may be off by 1e-15·Σ a·x² */
    private record Candidate(double factor, double zero, float scale, double error) {}

    /** Takes a candidate if it is better than the best. */
    private static void propose(BlockPanel panel, Search search, int l, Candidate candidate) {
        double unsure = UNSURE * search.squares[l];
        double best = search.bestError[l];
        boolean better = candidate.error() < best - unsure;
        if (!better && candidate.error() <= best + unsure) {
            better = panel.error(l, candidate.factor(), candidate.zero(), candidate.scale())
                    < panel.error(l, search.bestFactor[l], panel.zeros[l], panel.scales[l]);
        }
        if (better) {
            search.bestError[l] = candidate.error();
            search.gain[l] = search.squares[l] - candidate.error() - unsure;
            search.bestFactor[l] = candidate.factor();
            panel.scales[l] = candidate.scale();
            panel.zeros[l] = candidate.zero();
        }
    }

    private static void round(BlockPanel panel, Search search) {
        for (int l = 0; l < panel.lanes; l++) {
            float scale = RoundToNearest.scale(panel.format, search.least[l], search.most[l], false);
            if (scale != 0) {
                double zero = RoundToNearest.zero(panel.format, search.least[l], scale, false);
                propose(panel, search, l, new Candidate(1.0 / scale, zero, scale, search.nearest[l]));
            }
        }
    }
}
