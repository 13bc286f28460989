package dev.pollux.internal.math;

import java.util.Arrays;

/**
 * Finds order statistics of a sequence without sorting. The first pass builds a histogram of the upper 16 bits of the
 * floats; the second, of the lower 16 bits of floats whose upper bits contain a requested rank.
 */
public final class OrderStatistics {

    private static final int BUCKETS = 1 << 16;

    private OrderStatistics() {}

    /** A sequence that can be read several times. */
    @FunctionalInterface
    public interface Sequence {
        /** Hands all values to {@code block}, some at a time, in order. */
        void read(Block block);
    }

    /** Takes values. */
    @FunctionalInterface
    public interface Block {
        /**
         * Takes some values.
         *
         * @param values (≥ count)
         */
        void accept(float[] values, int count);
    }

    /**
     * A value and how many are smaller.
     *
     * @param value at the rank asked for
     * @param below number of smaller values; the rank of the first equal value
     * @param equal number of equal values
     */
    public record Rank(float value, long below, long equal) {}

    /**
     * The values at {@code ranks} of the sequence in ascending order.
     *
     * @param ranks each in [0, length)
     */
    public static Rank[] select(Sequence sequence, long... ranks) {
        long[] upper = new long[BUCKETS];
        long[] odd = new long[BUCKETS]; // avoids waiting for the store of an equal neighbour's count
        sequence.read((values, count) -> {
            int i = 0;
            for (; i < count - 1; i += 2) {
                upper[order(values[i]) >>> 16]++;
                odd[order(values[i + 1]) >>> 16]++;
            }
            if (i < count) {
                upper[order(values[i]) >>> 16]++;
            }
        });
        for (int i = 0; i < BUCKETS; i++) {
            upper[i] += odd[i];
        }
        int[] bucket = new int[ranks.length];
        long[] before = new long[ranks.length];
        for (int r = 0; r < ranks.length; r++) {
            bucket[r] = bucketOf(upper, ranks[r]);
            before[r] = Arrays.stream(upper, 0, bucket[r]).sum();
        }
        long[][] lower = new long[ranks.length][BUCKETS];
        sequence.read((values, count) -> {
            for (int r = 0; r < bucket.length; r++) {
                count(values, count, bucket[r], lower[r]);
            }
        });
        Rank[] found = new Rank[ranks.length];
        for (int r = 0; r < ranks.length; r++) {
            int low = bucketOf(lower[r], ranks[r] - before[r]);
            long below = before[r] + Arrays.stream(lower[r], 0, low).sum();
            found[r] = new Rank(value(bucket[r] << 16 | low), below, lower[r][low]);
        }
        return found;
    }

    private static void count(float[] values, int count, int bucket, long[] lower) {
        for (int i = 0; i < count; i++) {
            int bits = order(values[i]);
            if (bits >>> 16 == bucket) {
                lower[bits & 0xffff]++;
            }
        }
    }

    private static int bucketOf(long[] counts, long rank) {
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen > rank) {
                return i;
            }
        }
        throw new IllegalArgumentException("rank must be below " + seen + " but was " + rank);
    }

    /** Bits whose unsigned order is that of the floats; −0 is 0. */
    private static int order(float value) {
        int bits = Float.floatToIntBits(value + 0f);
        return bits ^ (bits >> 31 | 0x80000000);
    }

    private static float value(int order) {
        return Float.intBitsToFloat(order < 0 ? order ^ 0x80000000 : ~order);
    }
}
