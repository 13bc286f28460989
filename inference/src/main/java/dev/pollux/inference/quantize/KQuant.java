package dev.pollux.inference.quantize;

/**
 * The weighted least squares of llama.cpp's K-quants as ONNX Runtime has it: scale and minimum are real numbers while they are
 * searched, then −minimum/scale is rounded to an integer zero point.
 */
final class KQuant implements BlockMethod {

    /*
     * a = √(mean x²) + |x|. The first candidate spans the range. Candidate i of 20, with Q = 2^bits − 1:
     *
     *   L  = clamp(rhe((Q − 1 + 0.1·i) / (max − min) · (x − min)), 0, Q)
     *   s′ = (Σa·ΣaLx − Σax·ΣaL) / D       D = Σa·ΣaL² − (ΣaL)²
     *   m′ = (ΣaL²·Σax − ΣaL·ΣaLx) / D     if m′ > 0: m′ = 0, s′ = ΣaLx / ΣaL²
     *
     * replaces scale and minimum, also for the codes of later candidates, if Σa·(s′L + m′ − x)² is less. As in llama.cpp the
     * minimum is at most 0: the runtime's own version lacks this and cannot represent a block of values that are all positive.
     */

    private static final int STEPS = 20;

    @Override
    public void code(BlockPanel panel) {
        double[] least = new double[panel.lanes];
        double[] most = new double[panel.lanes];
        panel.ranges(least, most);
        double[] factors = new double[panel.lanes];
        Block block = new Block(panel.count);
        for (int l = 0; l < panel.lanes; l++) {
            block.read(panel, l);
            block.search(least[l], most[l], panel.maxCode());
            panel.scales[l] = panel.stored(block.scale);
            boolean flat = panel.scales[l] == 0;
            panel.zeros[l] = flat
                    ? panel.middle()
                    : Math.max(0, Math.min(panel.maxCode(), Math.rint(-block.minimum / block.scale)));
            factors[l] = flat ? 0 : 1.0 / panel.scales[l];
        }
        panel.codes(factors);
    }

    /** The search in one block. */
    private static final class Block {

        private final double[] x;
        private final double[] weight;
        private final double[] level;
        private double scale;
        private double minimum;
        private double bestError;
        private double sumWeight;
        private double sumX;

        Block(int count) {
            x = new double[count];
            weight = new double[count];
            level = new double[count];
        }

        void read(BlockPanel panel, int l) {
            double squares = 0;
            for (int k = 0; k < x.length; k++) {
                x[k] = panel.values[k][l];
                squares += x[k] * x[k];
            }
            double root = Math.sqrt(squares / x.length);
            sumWeight = 0;
            sumX = 0;
            for (int k = 0; k < x.length; k++) {
                weight[k] = (root + Math.abs(x[k])) * panel.importance[k];
                sumWeight += weight[k];
                sumX += weight[k] * x[k];
            }
        }

        void search(double least, double most, int maxCode) {
            minimum = least;
            scale = (most - least) / maxCode;
            if (scale == 0) {
                return;
            }
            levels(maxCode / (most - least), maxCode);
            bestError = error(scale, minimum);
            for (int step = 0; step < STEPS && most > minimum; step++) {
                levels((maxCode - 1 + 0.1 * step) / (most - minimum), maxCode);
                consider();
            }
        }

        private void levels(double factor, int maxCode) {
            for (int k = 0; k < x.length; k++) {
                level[k] = Math.max(0, Math.min(maxCode, Math.rint(factor * (x[k] - minimum))));
            }
        }

        private void consider() {
            double l1 = 0;
            double l2 = 0;
            double lx = 0;
            for (int k = 0; k < x.length; k++) {
                double weighted = weight[k] * level[k];
                l1 += weighted;
                l2 += weighted * level[k];
                lx += weighted * x[k];
            }
            double determinant = sumWeight * l2 - l1 * l1;
            if (!(determinant > 0)) {
                return;
            }
            double newScale = (sumWeight * lx - sumX * l1) / determinant;
            double newMinimum = (l2 * sumX - l1 * lx) / determinant;
            if (newMinimum > 0) {
                newMinimum = 0;
                newScale = lx / l2;
            }
            double error = error(newScale, newMinimum);
            if (newScale > 0 && error < bestError) {
                bestError = error;
                scale = newScale;
                minimum = newMinimum;
            }
        }

        private double error(double s, double m) {
            double sum = 0;
            for (int k = 0; k < x.length; k++) {
                double off = s * level[k] + m - x[k];
                sum += weight[k] * off * off;
            }
            return sum;
        }
    }
}
