package dev.pollux.rag.knowledge;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** A search of a {@link VectorGraph}, with its scratch. <em>Confined to one thread.</em> */
final class GraphSearch {

    private final GraphLayers layers;
    private final long[] seen; // a bit for each row
    private final int[] unseen = new int[GraphLayers.DEGREE];
    private final float[] scores = new float[GraphLayers.DEGREE];
    private int[] visited = new int[1 << 12]; // the rows that are seen
    private int visits;

    GraphSearch(GraphLayers layers) {
        this.layers = layers;
        this.seen = new long[layers.rows() + Long.SIZE - 1 >>> 6];
    }

    /** Scores of rows, larger for better ones. */
    @FunctionalInterface
    interface Scores {
        /**
         * Scores rows.
         *
         * @param count of the rows, at most {@link GraphLayers#DEGREE}
         */
        void of(int[] rows, int count, float[] into);
    }

    /**
     * About the best rows, in no particular order.
     *
     * @param most how many
     * @param allowed which rows may be among them
     * @return (≤ most)
     */
    int[] nearest(Scores of, int most, IntPredicate allowed) {
        try {
            return base(of, entry(of), most, allowed);
        } finally {
            for (int i = 0; i < visits; i++) {
                seen[visited[i] >>> 6] = 0;
            }
            visits = 0;
        }
    }

    /** The best row of the upper layers that a greedy descent finds, with its score. */
    private long entry(Scores of) {
        unseen[0] = layers.entry();
        of.of(unseen, 1, scores);
        long best = scored(scores[0], unseen[0]);
        for (int layer = layers.upper(); layer > 0; layer--) {
            long before;
            do {
                before = best;
                int count = layers.neighbours(layer, row(best), unseen);
                of.of(unseen, count, scores);
                for (int i = 0; i < count; i++) {
                    best = Math.max(best, scored(scores[i], unseen[i]));
                }
            } while (best > before);
        }
        return best;
    }

    private int[] base(Scores of, long entry, int most, IntPredicate allowed) {
        LongHeap candidates = new LongHeap(4 * most); // best first: complements
        LongHeap found = new LongHeap(most); // worst first
        see(row(entry));
        candidates.push(~entry);
        if (allowed.test(row(entry))) {
            found.push(entry);
        }
        while (candidates.size() > 0) {
            long best = ~candidates.pop();
            if (found.size() == most && best < found.top()) {
                break;
            }
            int count = unseen(layers.neighbours(0, row(best), unseen));
            of.of(unseen, count, scores);
            for (int i = 0; i < count; i++) {
                long next = scored(scores[i], unseen[i]);
                if (found.size() < most || next > found.top()) {
                    candidates.push(~next);
                    if (allowed.test(unseen[i])) {
                        found.offer(next, most);
                    }
                }
            }
        }
        return found.values().mapToInt(GraphSearch::row).toArray();
    }

    /** Keeps the neighbours that were not seen, and marks them. */
    private int unseen(int count) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            int row = unseen[i];
            if ((seen[row >>> 6] & 1L << row) == 0) {
                see(row);
                unseen[kept++] = row;
            }
        }
        return kept;
    }

    private void see(int row) {
        seen[row >>> 6] |= 1L << row;
        if (visits == visited.length) {
            visited = Arrays.copyOf(visited, 2 * visits);
        }
        visited[visits++] = row;
    }

    /** A number that is ordered as the score, with the row in the low half. */
    private static long scored(float score, int row) {
        int bits = Float.floatToIntBits(score);
        return (long) (bits ^ bits >> 31 & Integer.MAX_VALUE) << Integer.SIZE | row;
    }

    private static int row(long scored) {
        return (int) scored;
    }
}
