package dev.pollux.inference.sampling;

import java.util.Arrays;

/**
 * Finds the entries with the smallest keys whose weights together reach a mass. <em>Not thread-safe: one thread at a time.</em>
 */
final class MassPrefix {

    /*
     * A histogram of the weights over the keys, in steps of 0.01, tells the bucket in which the mass is reached. Only the
     * entries of that bucket are sorted. Keys are surprises, so nearly all mass is in the first thousand buckets; the last
     * bucket takes all larger keys.
     *
     * An entry of the bucket is one long: its place between the limits of the bucket in the high half (31 bits, so keys that
     * differ by less than 5e-12 are equal), and its index in the low half, so equal keys keep their order.
     */

    private static final int BUCKETS = 4096;
    private static final double PER_UNIT = 100;

    private final double[] masses = new double[BUCKETS];
    private long[] edge = {}; // (entries of the bucket and more)
    private int bucket; // in which the prefix ends
    private long last; // the last entry of the prefix

    /**
     * Finds the shortest prefix, at least one entry, in the order of keys and indices.
     *
     * @param keys (count and more), at least 0
     * @param weights (count and more), at least 0
     * @param count the number of entries, at least 1
     * @param mass the sum of weights to reach; all entries are in the prefix if they do not reach it
     */
    void find(double[] keys, double[] weights, int count, double mass) {
        Arrays.fill(masses, 0);
        int highest = 0;
        for (int i = 0; i < count; i++) {
            int at = bucketOf(keys[i]);
            masses[at] += weights[i];
            highest = Math.max(highest, at);
        }
        double before = 0;
        bucket = 0;
        while (bucket < highest && before + masses[bucket] < mass) {
            before += masses[bucket++];
        }
        int size = sortBucket(keys, count);
        int kept = 0;
        while (kept < size && (kept == 0 || before < mass)) {
            before += weights[(int) edge[kept++]];
        }
        last = kept == 0 ? -1 : edge[kept - 1];
    }

    private int sortBucket(double[] keys, int count) {
        int size = 0;
        for (int i = 0; i < count; i++) {
            if (bucketOf(keys[i]) == bucket) {
                if (size == edge.length) {
                    edge = Arrays.copyOf(edge, Math.max(64, 2 * size));
                }
                edge[size++] = place(keys[i], i);
            }
        }
        Arrays.sort(edge, 0, size);
        return size;
    }

    /** Whether an entry is in the prefix. */
    boolean contains(double key, int index) {
        int at = bucketOf(key);
        return at < bucket || at == bucket && place(key, index) <= last;
    }

    /** Whether an entry is in the prefix, or its key equals that of the last entry of the prefix. */
    boolean containsOrTies(double key) {
        int at = bucketOf(key);
        return at < bucket || at == bucket && place(key, 0) >>> Integer.SIZE <= last >>> Integer.SIZE;
    }

    private static int bucketOf(double key) {
        return Math.min((int) (key * PER_UNIT), BUCKETS - 1);
    }

    private long place(double key, int index) {
        double within = key * PER_UNIT - bucket;
        if (bucket == BUCKETS - 1) {
            within = 1 - 1 / (1 + within);
        }
        return (long) (within * Integer.MAX_VALUE) << Integer.SIZE | index;
    }
}
