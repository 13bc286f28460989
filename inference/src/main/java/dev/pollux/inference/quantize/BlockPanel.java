package dev.pollux.inference.quantize;

import java.util.Arrays;

/**
 * Blocks that are quantized together, one a lane. A weight is (code − zero) · scale. <em>Not thread-safe: one thread at a
 * time.</em>
 */
final class BlockPanel {

    /*
     * A method computes the sums of all lanes at once: for each k a small method with one loop over the lanes, without a dependency
     * from one lane to the next, which the compiler turns into vector instructions. It does so only if values[k] is an array of its
     * own and the loop is alone in its method. Sums over k run in the order of k for each lane, so that results do not depend on the
     * number of lanes.
     */

    /** 1.5·2⁵²: adding and subtracting it rounds a double below 2⁵¹ to the nearest integer, halves to even. */
    static final double ROUND = 0x1.8p52;

    private static final int VALUES = 2048;
    private static final int MOST_LANES = 64;
    private static final int LEAST_LANES = 8;

    final BlockFormat format;
    final int blockSize;
    final int lanes;
    final double[][] values; // (blockSize, lanes)
    final double[] importance; // (blockSize), weight of the squared error of each value of a block
    final double[][] codes; // (blockSize, lanes), whole numbers in [0, maxCode]
    final float[] scales; // (lanes)
    final double[] errors; // (lanes), Σ (x − x̂)²
    final double[] norms; // (lanes), Σ x²
    final double[] zeros; // (lanes), whole numbers in [0, maxCode] except of HQQ with real zero points

    /** The number of values of each block; below blockSize in the last block of a row. */
    int count;

    private BlockPanel(BlockFormat format, int lanes) {
        this.format = format;
        this.blockSize = format.blockSize();
        this.lanes = lanes;
        this.count = blockSize;
        this.values = new double[blockSize][lanes];
        this.importance = new double[blockSize];
        Arrays.fill(importance, 1);
        this.codes = new double[blockSize][lanes];
        this.scales = new float[lanes];
        this.zeros = new double[lanes];
        this.errors = new double[lanes];
        this.norms = new double[lanes];
    }

    /** A panel that fits the nearest caches. */
    static BlockPanel of(BlockFormat format) {
        return new BlockPanel(format, Math.max(LEAST_LANES, Math.min(MOST_LANES, VALUES / format.blockSize())));
    }

    /** See {@link BlockFormat#maxCode()}. */
    int maxCode() {
        return format.maxCode();
    }

    /** See {@link BlockFormat#middle()}. */
    int middle() {
        return format.middle();
    }

    /** See {@link BlockFormat#stored}. */
    float stored(double scale) {
        return format.stored(scale);
    }

    /** The smallest value of each lane, at most 0, and the largest, at least 0. */
    void ranges(double[] least, double[] most) {
        Arrays.fill(least, 0, lanes, 0);
        Arrays.fill(most, 0, lanes, 0);
        for (int k = 0; k < count; k++) {
            range(values[k], least, most, lanes);
        }
    }

    private static void range(double[] x, double[] least, double[] most, int lanes) {
        for (int l = 0; l < lanes; l++) {
            least[l] = Math.min(least[l], x[l]);
            most[l] = Math.max(most[l], x[l]);
        }
    }

    /** code = clamp(rhe(value · factor + zero), 0, maxCode) for every value. */
    void codes(double[] factors) {
        for (int k = 0; k < count; k++) {
            codes(values[k], factors, zeros, maxCode(), codes[k], lanes);
        }
    }

    /** Computes {@link #errors} and {@link #norms} of the codes. */
    void measure() {
        double[] steps = new double[lanes];
        for (int l = 0; l < lanes; l++) {
            steps[l] = scales[l];
        }
        Arrays.fill(errors, 0);
        Arrays.fill(norms, 0);
        for (int k = 0; k < count; k++) {
            measure(values[k], codes[k], zeros, steps, errors, lanes);
            norms(values[k], norms, lanes);
        }
    }

    private static void measure(
            double[] x, double[] codes, double[] zeros, double[] scales, double[] errors, int lanes) {
        for (int l = 0; l < lanes; l++) {
            double off = x[l] - (codes[l] - zeros[l]) * scales[l];
            errors[l] += off * off;
        }
    }

    private static void norms(double[] x, double[] norms, int lanes) {
        for (int l = 0; l < lanes; l++) {
            norms[l] += x[l] * x[l];
        }
    }

    private static void codes(double[] x, double[] factors, double[] zeros, double max, double[] into, int lanes) {
        for (int l = 0; l < lanes; l++) {
            double code = x[l] * factors[l] + zeros[l] + ROUND - ROUND;
            into[l] = (Math.abs(code) - Math.abs(code - max) + max) * 0.5; // clamped, exact for whole numbers
        }
    }

    /** Σ a·(x − s·(code − zero))² of a lane, where code = clamp(rhe(x · factor + zero)). */
    double error(int lane, double factor, double zero, double scale) {
        double sum = 0;
        double max = maxCode();
        for (int k = 0; k < count; k++) {
            double x = values[k][lane];
            double code = Math.max(0, Math.min(max, Math.rint(x * factor + zero)));
            double off = x - scale * (code - zero);
            sum += importance[k] * off * off;
        }
        return sum;
    }
}
