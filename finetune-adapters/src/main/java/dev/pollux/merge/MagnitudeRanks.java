package dev.pollux.merge;

import dev.pollux.internal.math.Lanes;
import dev.pollux.internal.math.OrderStatistics.Rank;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/*
 * A histogram of the upper 15 bits of magnitudes, of every stride-th window, says between which values a rank lies, give or
 * take what chance may do. One pass over everything then counts what is below them and, one by one, what is between. If the
 * rank is not there, since the windows read were no fair sample, it is done again with a histogram of all windows, which
 * leaves no doubt.
 */
/** What stands at ranks of |θ<sub>i</sub> − θ<sub>0</sub>| for several sources at once. <em>For one tensor.</em> */
final class MagnitudeRanks {

    private static final int BUCKETS = 1 << 15;
    private static final int LOWER_BITS = 16;

    /** Elements of a sample: with fewer, more than {@link #MOST_BUCKETS} would often be needed. */
    private static final long SAMPLE = 1 << 18;

    private static final int MOST_STRIDE = 32;
    private static final int MOST_BUCKETS = 6;

    /** Standard deviations that a rank in the sample may be off. */
    private static final double DEVIATIONS = 5;

    /** Counts are unsigned. */
    private static final long MOST_ELEMENTS = (1L << 32) - 1;

    /** Bytes of tables for each source and two ranks, at most. */
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
     * What stands at {@code ranks} in ascending order.
     *
     * @param sources i of each
     * @param ranks of each, in [0, elements)
     * @return of each source, in the order of its ranks
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

    /** The ranks; empty if the sample misled. */
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
     * How many of the sampled magnitudes have which upper bits, of each source.
     *
     * @param sampled gets how many elements were looked at
     */
    private int[][] upper(int stride, long[] sampled) {
        int[][] upper = new int[sources.length][BUCKETS];
        int[][] odd = new int[sources.length][BUCKETS]; // equal neighbours would wait for one another's count
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
        long both = Lanes.BEST.find(delta, place.from, place.width(), found, 0, count);
        place.below += both >>> 32;
        int n = (int) both;
        place.within += n;
        for (int i = 0; i < n; i++) {
            place.counts[found[i]]++;
        }
    }

    /** Magnitudes among which a rank is. */
    private static final class Place {
        private final long wanted;
        private final int buckets;
        private final int from; // bits of the least
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
         * Where a rank must be.
         *
         * @param counts of the sampled elements
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
