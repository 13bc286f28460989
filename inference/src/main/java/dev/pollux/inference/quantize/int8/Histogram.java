package dev.pollux.inference.quantize.int8;

import java.util.Arrays;

/**
 * Counts of values in bins. A call adds values in two steps: {@link #extend} makes room for the range of the values, then
 * {@link #count} counts them, in as many pieces as they come. <em>Confined to one thread.</em>
 */
abstract sealed class Histogram permits MagnitudeHistogram, SignedHistogram {

    /** More bins than this are merged. */
    static final int MAX_BINS = 1 << 20;

    private float[] edges = {};
    private long[] counts = {};
    private final ObservedRange observed = new ObservedRange();

    /** Adds the values of one call. */
    final void collect(float[] values) {
        extend(ObservedRange.of(values));
        count(values);
    }

    /** Makes room for values, without counting any. */
    final void extend(ObservedRange range) {
        if (counts.length == 0) {
            begin(range);
        } else {
            grow(range);
        }
        observed.add(range);
    }

    /** Sets the first bins. */
    abstract void begin(ObservedRange range);

    /** Adds bins if {@code range} is wider than they are. */
    abstract void grow(ObservedRange range);

    /** The bin of a value; −1 if it has none. */
    abstract int index(float value);

    /** Counts values within the ranges given to {@link #extend}. */
    final void count(float[] values) {
        for (float value : values) {
            int index = index(value);
            if (index >= 0) {
                counts[index]++;
            }
        }
    }

    /** Replaces the bins. The old counts move by {@code shift} bins, or, if there are too many bins, by their centres. */
    final void bins(float[] newEdges, int shift) {
        long[] old = counts;
        edges = newEdges;
        counts = new long[newEdges.length - 1];
        System.arraycopy(old, 0, counts, shift, old.length);
    }

    /** Replaces the bins by others; a count moves to the bin that has the centre of its old bin. */
    final void rebin(float[] newEdges) {
        float[] oldEdges = edges;
        long[] old = counts;
        edges = newEdges;
        counts = new long[newEdges.length - 1];
        for (int i = 0; i < old.length; i++) {
            float centre = oldEdges[i] + (oldEdges[i + 1] - oldEdges[i]) / 2;
            int at = Arrays.binarySearch(newEdges, centre);
            int bin = at >= 0 ? at : -at - 2;
            counts[Math.max(0, Math.min(counts.length - 1, bin))] += old[i];
        }
    }

    /** The edges of the bins, one more than bins. */
    final float[] edges() {
        return edges;
    }

    /** The counts of the bins. */
    final long[] counts() {
        return counts;
    }

    /** The extremes of all values. */
    final ObservedRange observed() {
        return observed;
    }
}
