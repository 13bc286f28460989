package dev.pollux.finetune.merge;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.OrderStatistics;
import dev.pollux.internal.math.RowRanks;

/** Selects the elements of a difference δ to keep. <em>Confined to one thread.</em> */
interface Mask {

    /** Whether {@link #apply} does nothing. */
    default boolean keepsAll() {
        return false;
    }

    /** Reads the source, if the mask needs it before the first window. */
    default void prepare(TensorWindows in, int source) {}

    /** The ranks of |δ| among {@code elements} for which {@link #found} needs the values before the first window. */
    default long[] ranks(long elements) {
        return new long[0];
    }

    /** Receives the values at {@link #ranks}. */
    default void found(OrderStatistics.Rank[] ranks) {}

    /** Whether applying the mask again costs more than storing one bit per element. */
    default boolean isCostly() {
        return false;
    }

    /** Restarts at the first element. */
    void begin();

    /**
     * Sets the elements that are not kept to 0. Windows arrive in order.
     *
     * @param delta (≥ count), whole rows
     */
    void apply(float[] delta, long first, int count);

    /** The number of non-zero elements after {@link #apply}, since {@link #begin}. */
    long nonZero();

    /** Keeps everything. */
    final class All implements Mask {
        private long nonZero;

        @Override
        public boolean keepsAll() {
            return true;
        }

        @Override
        public void begin() {
            nonZero = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            nonZero += Kernels.BEST.nonZero(delta, 0, count);
        }

        @Override
        public long nonZero() {
            return nonZero;
        }
    }

    /**
     * Keeps the {@code kept} largest |δ|; among equal ones, the first. Of δ = (3, −1, 1, 2) with density 0.75: (3, −1, 0, 2).
     */
    final class TopMagnitude implements Mask {
        private final double density;
        private long elements;
        private long kept;
        private long equal;
        private float threshold;
        private long equalKept;
        private long equalSeen;
        private float[] some = new float[0];

        TopMagnitude(double density) {
            this.density = density;
        }

        @Override
        public boolean keepsAll() {
            return density >= 1;
        }

        @Override
        public long[] ranks(long n) {
            kept = Math.max(1, (long) Math.floor(density * n));
            elements = n;
            return new long[] {n - kept};
        }

        @Override
        public void found(OrderStatistics.Rank[] ranks) {
            threshold = ranks[0].value();
            equal = ranks[0].equal();
            equalKept = kept - (elements - ranks[0].below() - equal);
        }

        @Override
        public void begin() {
            equalSeen = 0;
        }

        /** Keeps all elements equal to the threshold before the window with the last kept one, and none after it. */
        @Override
        public void apply(float[] delta, long first, int count) {
            boolean before = equalSeen < equalKept;
            int here = before && equalKept < equal ? equal(delta, count) : 0;
            if (!before) {
                Kernels.BEST.prune(delta, threshold, 0, count);
            } else if (threshold > 0) {
                Kernels.BEST.prune(delta, Math.nextDown(threshold), 0, count);
            }
            if (before && equalSeen + here > equalKept) {
                dropLastEqual(delta, count, equalKept - equalSeen);
            }
            equalSeen += here;
        }

        @Override
        public long nonZero() {
            return threshold == 0 ? kept - equalKept : kept;
        }

        private int equal(float[] delta, int count) {
            some = Vectors.room(some, count);
            return Kernels.BEST.equal(delta, threshold, some, 0, count);
        }

        private void dropLastEqual(float[] delta, int count, long allowed) {
            long seen = 0;
            for (int i = 0; i < count; i++) {
                if (Math.abs(delta[i]) == threshold && ++seen > allowed) {
                    delta[i] = 0;
                }
            }
        }
    }

    /** Drops the smallest and the very largest |δ|: keeps ranks [from, to) in ascending order, equal ones by index. */
    final class MagnitudeBand implements Mask {
        private final double density;
        private final double gamma;
        private final boolean likeReference;
        private long from;
        private long to;
        private OrderStatistics.Rank lowest = new OrderStatistics.Rank(0, 0, 0);
        private OrderStatistics.Rank highest = lowest;
        private long lowestSeen;
        private long highestSeen;
        private long nonZero;

        MagnitudeBand(double density, double gamma, boolean likeReference) {
            this.density = density;
            this.gamma = gamma;
            this.likeReference = likeReference;
        }

        @Override
        public long[] ranks(long n) {
            long kept = (long) Math.floor(density * n);
            long top = (long) Math.floor(gamma * n);
            long bottom = n - kept - top;
            if (bottom < 0) {
                top += bottom;
                bottom = 0;
            }
            from = bottom;
            to = likeReference && top == 0 ? bottom : n - top;
            if (to - from == n) {
                lowest = new OrderStatistics.Rank(-1, 0, 0);
                highest = new OrderStatistics.Rank(Float.POSITIVE_INFINITY, 0, n);
            }
            return from < to && to - from < n ? new long[] {from, to - 1} : new long[0];
        }

        @Override
        public void found(OrderStatistics.Rank[] ranks) {
            lowest = ranks[0];
            highest = ranks[1];
        }

        @Override
        public void begin() {
            lowestSeen = lowest.below();
            highestSeen = highest.below();
            nonZero = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            for (int i = 0; i < count; i++) {
                if (from >= to || !keeps(Math.abs(delta[i]))) {
                    delta[i] = 0;
                }
            }
            nonZero += Kernels.BEST.nonZero(delta, 0, count);
        }

        @Override
        public long nonZero() {
            return nonZero;
        }

        private boolean keeps(float magnitude) {
            boolean kept = magnitude >= lowest.value() && magnitude <= highest.value();
            if (magnitude == lowest.value()) {
                kept &= lowestSeen++ >= from;
            }
            if (magnitude == highest.value()) {
                kept &= highestSeen++ < to;
            }
            return kept;
        }
    }

    /** Keeps each element with the same probability. */
    final class Random implements Mask {
        private final double density;
        private long key;
        private long nonZero;
        private long[] some = new long[0];

        Random(double density) {
            this.density = density;
        }

        @Override
        public boolean keepsAll() {
            return density >= 1;
        }

        @Override
        public void prepare(TensorWindows in, int source) {
            key = in.randomKey(source);
        }

        @Override
        public void begin() {
            nonZero = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            some = some.length < count ? new long[count] : some;
            Kernels.BEST.prune(delta, new Kernels.Draw(key, first, CounterRandom.limit(density)), some, 0, count);
            nonZero += Kernels.BEST.nonZero(delta, 0, count);
        }

        @Override
        public long nonZero() {
            return nonZero;
        }
    }

    /** Keeps the elements that another mask kept. */
    final class Stored implements Mask {
        private final long[] kept; // a bit for each element
        private long nonZero;

        private Stored(long[] kept) {
            this.kept = kept;
        }

        /** Marks the non-zero elements of {@code delta} in {@code kept}. Windows arrive in order. */
        static void note(float[] delta, long first, int count, long[] kept) {
            for (int i = 0; i < count; i++) {
                long at = first + i;
                long bit = delta[i] != 0 ? 1L : 0L;
                kept[(int) (at >>> 6)] |= bit << at;
            }
        }

        static Stored of(long[] kept) {
            return new Stored(kept);
        }

        @Override
        public void begin() {
            nonZero = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            for (int i = 0; i < count; i++) {
                long at = first + i;
                int bit = (int) (kept[(int) (at >>> 6)] >>> at) & 1;
                delta[i] = Float.intBitsToFloat(Float.floatToRawIntBits(delta[i]) & -bit);
            }
            nonZero += Kernels.BEST.nonZero(delta, 0, count);
        }

        @Override
        public long nonZero() {
            return nonZero;
        }
    }

    /** Keeps each element with a probability that increases with the rank of its |δ| in its row. */
    final class Ranked implements Mask {
        private final double density;
        private final double epsilon;
        private long key;
        private int rowLength = 1;
        private RowRanks ranks = new RowRanks(0);
        private long[] limits = new long[0]; // by rank
        private long nonZero;

        Ranked(double density, double epsilon) {
            this.density = density;
            this.epsilon = epsilon;
        }

        @Override
        public boolean isCostly() {
            return true;
        }

        @Override
        public boolean keepsAll() {
            return density >= 1;
        }

        @Override
        public void prepare(TensorWindows in, int source) {
            key = in.randomKey(source);
            rowLength = in.rowLength();
            ranks = new RowRanks(rowLength);
            limits = new long[rowLength];
            for (int rank = 0; rank < rowLength; rank++) {
                limits[rank] = CounterRandom.limit(probability(rank, rowLength));
            }
        }

        @Override
        public void begin() {
            nonZero = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            for (int row = 0; row < count; row += rowLength) {
                int[] order = ranks.order(delta, row);
                for (int rank = 0; rank < rowLength; rank++) {
                    int at = row + order[rank];
                    int kept = (int) (CounterRandom.bits(key, first + at) - limits[rank] >> 63);
                    delta[at] = Float.intBitsToFloat(Float.floatToRawIntBits(delta[at]) & kept);
                }
            }
            nonZero += Kernels.BEST.nonZero(delta, 0, count);
        }

        @Override
        public long nonZero() {
            return nonZero;
        }

        /** p = (density − ε) + 2ε·rank/(m − 1), ranks from 0. */
        private double probability(int rank, int m) {
            return m == 1 ? density : density - epsilon + 2 * epsilon * rank / (m - 1);
        }

        /** The probability of each element of a row, (m). */
        double[] probabilities(float[] delta, int from, int m) {
            int[] order = new RowRanks(m).order(delta, from);
            double[] keep = new double[m];
            for (int rank = 0; rank < m; rank++) {
                keep[order[rank]] = probability(rank, m);
            }
            return keep;
        }
    }
}
