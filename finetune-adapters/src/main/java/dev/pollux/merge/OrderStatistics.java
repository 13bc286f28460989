package dev.pollux.merge;

import java.util.Arrays;
import java.util.List;

/**
 * The values that a sorted sequence would have at given ranks, without sorting: a histogram of the upper 16 bits of the
 * floats, then one of the lower 16 bits of those that share the upper ones. The sequence is read twice.
 */
final class OrderStatistics {

    private static final int BUCKETS = 1 << 16;

    private OrderStatistics() {}

    /** A sequence that can be read several times. */
    @FunctionalInterface
    interface Sequence {
        /** Hands all values to {@code block}, some at a time, in order. */
        void read(Block block);
    }

    /** Takes values. */
    @FunctionalInterface
    interface Block {
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
     * @param below how many values are smaller; the first of equal values has this rank
     * @param equal how many values equal it
     */
    record Rank(float value, long below, long equal) {}

    /**
     * What stands at {@code ranks} of the sequence in ascending order.
     *
     * @param ranks each in [0, length)
     */
    static Rank[] select(Sequence sequence, long... ranks) {
        long[] upper = new long[BUCKETS];
        long[] odd = new long[BUCKETS]; // equal neighbours would wait for one another's count
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

    /**
     * What stands at ranks of |θ<sub>i</sub> − θ<sub>0</sub>| for several sources at once, so that θ<sub>0</sub> is read
     * twice in all.
     *
     * @param sources i of each
     * @param ranks of each, in [0, elements)
     */
    static Rank[][] ofMagnitudes(TensorWindows in, int[] sources, List<long[]> ranks) {
        int n = sources.length;
        int[] wanted = new int[n + 1]; // the base and the sources
        System.arraycopy(sources, 0, wanted, 1, n);
        long[][] upper = new long[n][BUCKETS / 2];
        long[][] odd = new long[n][BUCKETS / 2];
        float[][] delta = new float[1][];
        in.pass(
                (x, first, count) -> {
                    for (int s = 0; s < n; s++) {
                        delta[0] = Vectors.subtract(x[sources[s]], x[0], count, delta[0]);
                        countUpper(delta[0], count, upper[s], odd[s]);
                    }
                },
                wanted);
        Place[][] places = new Place[n][];
        for (int s = 0; s < n; s++) {
            long[] counts = upper[s];
            long[] other = odd[s];
            Arrays.setAll(counts, bucket -> counts[bucket] + other[bucket]);
            places[s] = Arrays.stream(ranks.get(s))
                    .mapToObj(rank -> new Place(counts, rank))
                    .toArray(Place[]::new);
        }
        in.pass(
                (x, first, count) -> {
                    for (int s = 0; s < n; s++) {
                        delta[0] = Vectors.subtract(x[sources[s]], x[0], count, delta[0]);
                        for (Place place : places[s]) {
                            place.take(delta[0], count);
                        }
                    }
                },
                wanted);
        return Arrays.stream(places)
                .map(some -> Arrays.stream(some).map(Place::rank).toArray(Rank[]::new))
                .toArray(Rank[][]::new);
    }

    /** A bucket of magnitudes that share their upper bits, and the counts of their lower ones. */
    private static final class Place {
        private final int bucket;
        private final long before;
        private final long rankAsked;
        private final long[] lower = new long[BUCKETS];
        private int[] found = new int[0]; // of a window

        Place(long[] upper, long rank) {
            bucket = bucketOf(upper, rank);
            before = Arrays.stream(upper, 0, bucket).sum();
            rankAsked = rank;
        }

        void take(float[] values, int count) {
            found = found.length < count ? new int[count] : found;
            int n = Lanes.BEST.find(values, bucket, found, 0, 0, count);
            for (int i = 0; i < n; i++) {
                lower[found[i]]++;
            }
        }

        Rank rank() {
            int low = bucketOf(lower, rankAsked - before);
            long below = before + Arrays.stream(lower, 0, low).sum();
            return new Rank(Float.intBitsToFloat(bucket << 16 | low), below, lower[low]);
        }
    }

    /** Neighbours go into two tables: equal ones would wait for one another's count. */
    private static void countUpper(float[] values, int count, long[] even, long[] odd) {
        int i = 0;
        for (; i < count - 1; i += 2) {
            even[Float.floatToRawIntBits(values[i]) << 1 >>> 17]++;
            odd[Float.floatToRawIntBits(values[i + 1]) << 1 >>> 17]++;
        }
        if (i < count) {
            even[Float.floatToRawIntBits(values[i]) << 1 >>> 17]++;
        }
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
