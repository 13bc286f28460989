package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.OrderStatistics.Rank;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Finds the values of |θ<sub>i</sub> − θ<sub>0</sub>| at given ranks, for several sources at once. <em>For one tensor.</em> */
final class MagnitudeRanks {

    /*
     * Selection by radix histograms, since sorting a tensor would need its size again in memory. The order of non-negative
     * floats is the order of their bits, so a magnitude is split into 15 upper bits (sign dropped) and 16 lower bits.
     *
     *   1. sample   count the upper bits in every stride-th window; with share p = rank / elements and m sampled elements the
     *               rank in the sample is p·m ± (1 + 5·√(m·p·(1 − p))), which gives a range of at most 6 buckets
     *   2. pass     over all windows: count the magnitudes below the range, and inside it each bit pattern
     *   3. check    below ≤ rank < below + within; otherwise the sample misled: repeat from 1 with stride 1, error 0
     *
     * Invariants: the result is exact and does not depend on the stride; counters are unsigned 32-bit, hence the limit on
     * elements. All ranks of all sources share one pass, because each pass reads the base again.
     */

    private static final int BUCKETS = 1 << 15;
    private static final int LOWER_BITS = 16;

    /** Sample size in elements. With fewer, the range would often exceed {@link #MOST_BUCKETS}. */
    private static final long SAMPLE = 1 << 18;

    private static final int MOST_STRIDE = 32;
    private static final int MOST_BUCKETS = 6;

    /** Allowed error of a rank in the sample, in standard deviations. */
    private static final double DEVIATIONS = 5;

    /** The range of an unsigned 32-bit counter. */
    private static final long MOST_ELEMENTS = (1L << 32) - 1;

    /** Maximum bytes of tables for one source with two ranks. */
    static final long BYTES_PER_SOURCE = Integer.BYTES * (2L * BUCKETS + 2L * (MOST_BUCKETS << LOWER_BITS));

    private final TensorWindows in;
    private final int[] sources;
    private final List<long[]> ranks;
    private final int[] wanted; // the base and the sources
    private float[] delta = new float[0]; // of a window
    private int[] found = new int[0]; // of a window

    private MagnitudeRanks(TensorWindows in, int[] sources, List<long[]> ranks) {
        this.in = in;
        this.sources = sources;
        this.ranks = ranks;
        this.wanted = new int[sources.length + 1];
        System.arraycopy(sources, 0, wanted, 1, sources.length);
    }

    /**
     * Returns the values at {@code ranks} in ascending order.
     *
     * @param sources the index i of each source
     * @param ranks the ranks for each source, in [0, elements)
     * @return the values for each source, in the order of its ranks
     */
    static Rank[][] of(TensorWindows in, int[] sources, List<long[]> ranks) {
        if (in.elements() > MOST_ELEMENTS) {
            throw new IllegalArgumentException("a tensor of which a share is kept by magnitude must have at most "
                    + MOST_ELEMENTS + " elements but one has " + in.elements() + "; split it or use another method");
        }
        MagnitudeRanks all = new MagnitudeRanks(in, sources, ranks);
        int stride = (int) Math.max(1, Math.min(MOST_STRIDE, in.elements() / SAMPLE));
        return all.found(stride)
                .or(() -> all.found(1))
                .orElseThrow(() -> new IllegalStateException("a rank is not where all elements say it is"));
    }

    /** Returns the values; empty if a rank is outside the range from the sample. */
    private Optional<Rank[][]> found(int stride) {
        long[] sampled = {0};
        int[][] upper = upper(stride, sampled);
        Place[][] places = new Place[sources.length][];
        for (int s = 0; s < sources.length; s++) {
            int[] counts = upper[s];
            places[s] = Arrays.stream(ranks.get(s))
                    .mapToObj(rank -> Place.of(counts, sampled[0], rank, in.elements()))
                    .toArray(Place[]::new);
            if (Arrays.stream(places[s]).anyMatch(place -> place.buckets > MOST_BUCKETS)) {
                return Optional.empty();
            }
        }
        in.pass(
                (x, first, count) -> {
                    for (int s = 0; s < sources.length; s++) {
                        delta = Vectors.subtract(x[sources[s]], x[0], count, delta);
                        for (Place place : places[s]) {
                            take(place, count);
                        }
                    }
                },
                wanted);
        Rank[][] result = new Rank[sources.length][];
        for (int s = 0; s < sources.length; s++) {
            if (Arrays.stream(places[s]).anyMatch(place -> !place.isCertain())) {
                return Optional.empty();
            }
            result[s] = Arrays.stream(places[s]).map(Place::rank).toArray(Rank[]::new);
        }
        return Optional.of(result);
    }

    /**
     * Returns the histogram of the upper bits of the sampled magnitudes, for each source.
     *
     * @param sampled receives the number of sampled elements
     */
    private int[][] upper(int stride, long[] sampled) {
        int[][] upper = new int[sources.length][BUCKETS];
        int[][] odd = new int[sources.length][BUCKETS]; // two tables: equal neighbours would stall on one counter
        in.sample(
                stride,
                (x, first, count) -> {
                    sampled[0] += count;
                    for (int s = 0; s < sources.length; s++) {
                        delta = Vectors.subtract(x[sources[s]], x[0], count, delta);
                        countUpper(delta, count, upper[s], odd[s]);
                    }
                },
                wanted);
        for (int s = 0; s < sources.length; s++) {
            for (int bucket = 0; bucket < BUCKETS; bucket++) {
                upper[s][bucket] += odd[s][bucket];
            }
        }
        return upper;
    }

    private static void countUpper(float[] values, int count, int[] even, int[] odd) {
        int i = 0;
        for (; i < count - 1; i += 2) {
            even[Float.floatToRawIntBits(values[i]) << 1 >>> 17]++;
            odd[Float.floatToRawIntBits(values[i + 1]) << 1 >>> 17]++;
        }
        if (i < count) {
            even[Float.floatToRawIntBits(values[i]) << 1 >>> 17]++;
        }
    }

    private void take(Place place, int count) {
        found = found.length < count ? new int[count] : found;
        long both = Kernels.BEST.find(delta, place.from, place.width(), found, 0, count);
        place.below += both >>> 32;
        int n = (int) both;
        place.within += n;
        for (int i = 0; i < n; i++) {
            place.counts[found[i]]++;
        }
    }

    /** A range of magnitudes that contains a rank. */
    private static final class Place {
        private final long wanted;
        private final int buckets;
        private final int from; // bits of the smallest
        private final int[] counts; // by the bits above those
        private long below;
        private long within;

        private Place(long wanted, int bucket, int buckets) {
            this.wanted = wanted;
            this.buckets = buckets;
            this.from = bucket << LOWER_BITS;
            this.counts = new int[buckets > MOST_BUCKETS ? 0 : buckets << LOWER_BITS];
        }

        /**
         * Returns the range that contains a rank, as far as the sample shows.
         *
         * @param counts the histogram of the sample
         */
        static Place of(int[] counts, long sampled, long wanted, long elements) {
            double share = (double) wanted / elements;
            double error = sampled == elements ? 0 : 1 + DEVIATIONS * Math.sqrt(sampled * share * (1 - share));
            double middle = sampled == elements ? wanted : share * sampled;
            int first = bucketOf(counts, (long) Math.max(0, middle - error));
            int last = bucketOf(counts, (long) Math.min(sampled - 1.0, middle + error));
            return new Place(wanted, first, last - first + 1);
        }

        int width() {
            return buckets << LOWER_BITS;
        }

        boolean isCertain() {
            return wanted >= below && wanted < below + within;
        }

        Rank rank() {
            int at = bucketOf(counts, wanted - below);
            long less = below;
            for (int i = 0; i < at; i++) {
                less += Integer.toUnsignedLong(counts[i]);
            }
            return new Rank(Float.intBitsToFloat(from + at), less, Integer.toUnsignedLong(counts[at]));
        }

        private static int bucketOf(int[] counts, long rank) {
            long seen = 0;
            for (int i = 0; i < counts.length; i++) {
                seen += Integer.toUnsignedLong(counts[i]);
                if (seen > rank) {
                    return i;
                }
            }
            throw new IllegalArgumentException("rank must be below " + seen + " but was " + rank);
        }
    }
}
