package dev.pollux.inference.calibration;

import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.internal.math.CounterRandom;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * Intervals of means of values that depend on their neighbours: percentiles of means over blocks of consecutive values that are
 * drawn with replacement (Künsch, "The jackknife and the bootstrap for general stationary observations", 1989).
 */
final class BlockBootstrap {

    private static final int DRAWS = 1000;
    private static final double TAIL = 0.025;
    private static final long SEED = 1;

    private BlockBootstrap() {}

    /**
     * The mean with its interval of 95 %.
     *
     * @param values at least one
     * @param block the number of values of a block
     * @param scale a monotone function that is applied to all three
     */
    static Interval interval(double[] values, int block, DoubleUnaryOperator scale) {
        int blocks = Math.max(1, values.length / block);
        double[] sums = new double[blocks];
        int[] counts = new int[blocks];
        double all = 0;
        for (int i = 0; i < values.length; i++) {
            int at = Math.min(blocks - 1, i / block);
            sums[at] += values[i];
            counts[at]++;
            all += values[i];
        }
        double[] means = new double[DRAWS];
        long key = CounterRandom.key(SEED, "bootstrap");
        for (int draw = 0; draw < DRAWS; draw++) {
            double sum = 0;
            long drawn = 0;
            for (int i = 0; i < blocks; i++) {
                int at = (int) (CounterRandom.bits(key, (long) draw * blocks + i) * 0x1p-53 * blocks);
                sum += sums[at];
                drawn += counts[at];
            }
            means[draw] = sum / drawn;
        }
        Arrays.sort(means);
        int tail = (int) (TAIL * DRAWS);
        return new Interval(
                scale.applyAsDouble(all / values.length),
                scale.applyAsDouble(means[tail]),
                scale.applyAsDouble(means[DRAWS - 1 - tail]));
    }
}
