package dev.pollux.inference.quantize;

import java.util.Arrays;

/**
 * Half-quadratic quantization (HQQ; Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning Models", 2023). The
 * scale is that of the range; the zero point is optimized.
 */
final class HalfQuadratic implements BlockMethod {

    /*
     * σ = min((2^bits − 1) / (max − min), 2e4), 1 for a range of 0; z = rhe(−min·σ). Iteration i of at most 20, β = 10·1.01^i:
     *
     *   q = clamp(rhe(x·σ + z))        r = (q − z) / σ         d = x − r
     *   e = sign(d)·max(|d| − (1/β)·(|d| + 1e-8)^(p − 1), 0)   p = 0.7, the shrinkage of an l_p norm
     *   z ← mean over the block of q − (x − e)·σ
     *
     * The iteration ends when the mean of |d| over the whole matrix no longer falls, and the z of the least mean is kept. So it has
     * two passes: errors() sums |d| of every iteration over a panel; after the sums of all panels are added, iterations() says
     * how many steps to take, and code() takes them. The sums are added in a fixed order, so that the choice does not depend on
     * threads.
     */

    private static final int MOST_ITERATIONS = 20;
    private static final double BETA = 10;
    private static final double KAPPA = 1.01;
    private static final double P = 0.7;
    private static final double MOST_INVERSE_SCALE = 2e4;

    private final int iterations;
    private final boolean wholeZeros;

    private HalfQuadratic(int iterations, boolean wholeZeros) {
        this.iterations = iterations;
        this.wholeZeros = wholeZeros;
    }

    /**
     * The method after its first pass.
     *
     * @param iterations the result of {@link #iterations}
     * @param wholeZeros whether zero points are rounded to integers, as the fast kernels need them
     */
    static HalfQuadratic of(int iterations, boolean wholeZeros) {
        return new HalfQuadratic(iterations, wholeZeros);
    }

    /**
     * Σ|d| over some rows before each step, (20).
     *
     * @param values (rows, columns)
     */
    static double[] errors(float[] values, int columns, BlockFormat format, boolean wholeZeros) {
        double[] sums = new double[MOST_ITERATIONS];
        CodedRows.panels(values, columns, format, (panel, at) -> {
            double[] inverse = begin(panel, wholeZeros);
            for (int i = 0; i < MOST_ITERATIONS; i++) {
                sums[i] += step(panel, inverse, BETA * Math.pow(KAPPA, i));
            }
        });
        return sums;
    }

    /** The number of steps to the least mean error, given the sums over all panels. */
    static int iterations(double[] errors) {
        int best = 0;
        while (best + 1 < errors.length && errors[best + 1] < errors[best]) {
            best++;
        }
        return best;
    }

    @Override
    public void code(BlockPanel panel) {
        double[] inverse = begin(panel, wholeZeros);
        for (int i = 0; i < iterations; i++) {
            step(panel, inverse, BETA * Math.pow(KAPPA, i));
        }
        for (int l = 0; l < panel.lanes; l++) {
            panel.scales[l] = panel.stored(1 / inverse[l]);
            if (wholeZeros) {
                panel.zeros[l] = Math.max(0, Math.min(panel.maxCode(), Math.rint(panel.zeros[l])));
            }
        }
        panel.codes(inverse);
    }

    /** Sets the first zero points and returns σ of each lane. */
    private static double[] begin(BlockPanel panel, boolean wholeZeros) {
        double[] least = new double[panel.lanes];
        double[] most = new double[panel.lanes];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        Arrays.fill(most, Double.NEGATIVE_INFINITY);
        double[] inverse = new double[panel.lanes];
        for (int l = 0; l < panel.lanes; l++) {
            for (int k = 0; k < panel.count; k++) {
                double x = panel.values[k][l];
                least[l] = Math.min(least[l], x);
                most[l] = Math.max(most[l], x);
            }
            if (wholeZeros) { // an integer zero point in [0, maxCode] needs 0 in the range
                least[l] = Math.min(0, least[l]);
                most[l] = Math.max(0, most[l]);
            }
            double range = most[l] - least[l];
            inverse[l] = range == 0 ? 1 : Math.min(panel.maxCode() / range, MOST_INVERSE_SCALE);
            panel.zeros[l] = Math.rint(-least[l] * inverse[l]);
        }
        return inverse;
    }

    /** Moves the zero points one step; returns Σ|d| before it. */
    private static double step(BlockPanel panel, double[] inverse, double beta) {
        double max = panel.maxCode();
        double sum = 0;
        for (int l = 0; l < panel.lanes; l++) {
            double zero = panel.zeros[l];
            double mean = 0;
            for (int k = 0; k < panel.count; k++) {
                double x = panel.values[k][l];
                double q = Math.max(0, Math.min(max, Math.rint(x * inverse[l] + zero)));
                double d = x - (q - zero) / inverse[l];
                double size = Math.abs(d);
                double e = Math.copySign(Math.max(size - Math.pow(size + 1e-8, P - 1) / beta, 0), d);
                mean += q - (x - e) * inverse[l];
                sum += size;
            }
            panel.zeros[l] = mean / panel.count;
        }
        return sum;
    }
}
