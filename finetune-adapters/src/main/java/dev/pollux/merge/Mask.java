package dev.pollux.merge;

/** Which elements of a difference δ are kept. <em>Confined to one thread.</em> */
interface Mask {

    /** Keeps everything. */
    Mask ALL = new Mask() {
        @Override
        public boolean keepsAll() {
            return true;
        }

        @Override
        public void apply(float[] delta, long first, int count) {}
    };

    /** Whether {@link #apply} does nothing. */
    default boolean keepsAll() {
        return false;
    }

    /** Reads what it must know before the first element can be decided. */
    default void prepare(TensorWindows in, int source) {}

    /** Begins at the first element again. */
    default void begin() {}

    /**
     * Sets what is not kept to 0; windows come in order.
     *
     * @param delta (≥ count), whole rows
     */
    void apply(float[] delta, long first, int count);

    /** |δ| of a source, as often as wanted. */
    static OrderStatistics.Sequence magnitudes(TensorWindows in, int source) {
        float[][] magnitude = new float[1][];
        return block -> in.pass(
                (x, at, first, count) -> {
                    magnitude[0] = Vectors.room(magnitude[0], count);
                    for (int i = 0; i < count; i++) {
                        magnitude[0][i] = Math.abs(x[source][at + i] - x[0][at + i]);
                    }
                    block.accept(magnitude[0], count);
                },
                0,
                source);
    }

    /** The {@code kept} largest |δ|, of equal ones the first. */
    final class Largest implements Mask {
        private final double density;
        private boolean all;
        private float threshold;
        private long equalKept;
        private long equalSeen;

        Largest(double density) {
            this.density = density;
        }

        @Override
        public boolean keepsAll() {
            return density >= 1;
        }

        @Override
        public void prepare(TensorWindows in, int source) {
            long n = in.elements();
            long kept = Math.max(1, (long) Math.floor(density * n));
            all = kept >= n;
            if (!all) {
                OrderStatistics.Rank rank = OrderStatistics.select(magnitudes(in, source), n - kept)[0];
                threshold = rank.value();
                equalKept = kept - (n - rank.below() - rank.equal());
            }
        }

        @Override
        public void begin() {
            equalSeen = 0;
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            if (all) {
                return;
            }
            for (int i = 0; i < count; i++) {
                float magnitude = Math.abs(delta[i]);
                if (magnitude < threshold || magnitude == threshold && ++equalSeen > equalKept) {
                    delta[i] = 0;
                }
            }
        }
    }

    /** Neither the smallest nor the very largest |δ|: those at ranks [from, to) in ascending order, equal ones by index. */
    final class Middle implements Mask {
        private final double density;
        private final double gamma;
        private final boolean likeReference;
        private long from;
        private long to;
        private OrderStatistics.Rank lowest = new OrderStatistics.Rank(0, 0, 0);
        private OrderStatistics.Rank highest = lowest;
        private long lowestSeen;
        private long highestSeen;

        Middle(double density, double gamma, boolean likeReference) {
            this.density = density;
            this.gamma = gamma;
            this.likeReference = likeReference;
        }

        @Override
        public void prepare(TensorWindows in, int source) {
            long n = in.elements();
            long kept = (long) Math.floor(density * n);
            long top = (long) Math.floor(gamma * n);
            long bottom = n - kept - top;
            if (bottom < 0) {
                top += bottom;
                bottom = 0;
            }
            from = bottom;
            to = likeReference && top == 0 ? bottom : n - top;
            if (from < to && to - from < n) {
                OrderStatistics.Rank[] ends = OrderStatistics.select(magnitudes(in, source), from, to - 1);
                lowest = ends[0];
                highest = ends[1];
            }
            if (to - from == n) {
                lowest = new OrderStatistics.Rank(-1, 0, 0);
                highest = new OrderStatistics.Rank(Float.POSITIVE_INFINITY, 0, n);
            }
        }

        @Override
        public void begin() {
            lowestSeen = lowest.below();
            highestSeen = highest.below();
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            for (int i = 0; i < count; i++) {
                if (from >= to || !keeps(Math.abs(delta[i]))) {
                    delta[i] = 0;
                }
            }
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

    /** Each element with the same probability. */
    final class Random implements Mask {
        private final double density;
        private long key;

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
        public void apply(float[] delta, long first, int count) {
            for (int i = 0; i < count; i++) {
                if (CounterRandom.uniform(key, first + i) >= density) {
                    delta[i] = 0;
                }
            }
        }
    }

    /** Each element with a probability that grows with the rank of its |δ| in its row. */
    final class Ranked implements Mask {
        private final double density;
        private final double epsilon;
        private long key;
        private int rowLength = 1;
        private long[] order = new long[0]; // |δ| bits above, index below

        Ranked(double density, double epsilon) {
            this.density = density;
            this.epsilon = epsilon;
        }

        @Override
        public boolean keepsAll() {
            return density >= 1;
        }

        @Override
        public void prepare(TensorWindows in, int source) {
            key = in.randomKey(source);
            rowLength = in.rowLength();
        }

        @Override
        public void apply(float[] delta, long first, int count) {
            for (int row = 0; row < count; row += rowLength) {
                double[] keep = probabilities(delta, row, rowLength);
                for (int i = 0; i < rowLength; i++) {
                    if (CounterRandom.uniform(key, first + row + i) >= keep[i]) {
                        delta[row + i] = 0;
                    }
                }
            }
        }

        /** p = (density − ε) + 2ε(rank − 1)/(m − 1), ranks of |δ| from 1 in ascending order, equal ones by index; (m). */
        double[] probabilities(float[] delta, int from, int length) {
            if (order.length != length) {
                order = new long[length];
            }
            for (int i = 0; i < length; i++) {
                order[i] = (long) Float.floatToIntBits(Math.abs(delta[from + i])) << 32 | i;
            }
            java.util.Arrays.sort(order);
            double[] keep = new double[length];
            for (int rank = 0; rank < length; rank++) {
                keep[(int) order[rank]] = length == 1 ? density : density - epsilon + 2 * epsilon * rank / (length - 1);
            }
            return keep;
        }
    }
}
