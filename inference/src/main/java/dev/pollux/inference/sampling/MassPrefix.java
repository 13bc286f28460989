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
    static final double PER_UNIT = 100;

    private final double[] masses = new double[BUCKETS];
    private long[] edge = {}; // (entries of the bucket and more)
    private int bucket; // in which the prefix ends
    private int size; // entries of the bucket
    private int kept; // of them in the prefix
    private long last; // the last entry of the prefix

    /** Forgets all entries. */
    void clear() {
        Arrays.fill(masses, 0);
    }

    /** Adds an entry, with a key and a weight of at least 0. */
    void add(double key, double weight) {
        masses[bucketOf(key)] += weight;
    }

    /**
     * Finds the shortest prefix, at least one entry, in the order of keys and indices.
     *
     * @param keys (count and more), at least 0
     * @param weights (count and more), at least 0
     * @param count the number of entries, at least 1
     * @param mass the sum of weights to reach; all entries are in the prefix if they do not reach it
     */
    void find(double[] keys, double[] weights, int count, double mass) {
        clear();
        for (int i = 0; i < count; i++) {
            add(keys[i], weights[i]);
        }
        end(keys, weights, count, mass);
    }

    /** The same as {@link #find}, of entries that were added. */
    void end(double[] keys, double[] weights, int count, double mass) {
        int highest = BUCKETS - 1;
        while (highest > 0 && masses[highest] == 0) {
            highest--;
        }
        double before = 0;
        bucket = 0;
        while (bucket < highest && before + masses[bucket] < mass) {
            before += masses[bucket++];
        }
        size = sortBucket(keys, count);
        kept = 0;
        while (kept < size && (kept == 0 || before < mass)) {
            before += weights[(int) edge[kept++]];
        }
        last = kept == 0 ? -1 : edge[kept - 1];
    }

    private int sortBucket(double[] keys, int count) {
        int found = 0;
        for (int i = 0; i < count; i++) {
            if (bucketOf(keys[i]) == bucket) {
                if (found == edge.length) {
                    edge = Arrays.copyOf(edge, Math.max(64, 2 * found));
                }
                edge[found++] = place(keys[i], i);
            }
        }
        Arrays.sort(edge, 0, found);
        return found;
    }

    /**
     * Makes the keys of the entries of the last bucket that are not in the prefix infinite. Then an entry is in the prefix if its key
     * times {@link #PER_UNIT} is below the result.
     */
    double mark(double[] keys) {
        for (int i = kept; i < size; i++) {
            keys[(int) edge[i]] = Double.POSITIVE_INFINITY;
        }
        return bucket == BUCKETS - 1 ? Double.POSITIVE_INFINITY : bucket + 1;
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
