package dev.pollux.rag.knowledge;

import java.util.ArrayList;
import java.util.List;

/** The k best of a stream of scored ids: a binary heap with the worst on top; of equal scores the smaller id is better. */
final class TopHits {

    /** An id and its score. */
    record Scored(int id, double score) {}

    private final int[] ids; // (k)
    private final float[] scores; // (k)
    private int size;

    TopHits(int k) {
        ids = new int[k];
        scores = new float[k];
    }

    void offer(int id, float score) {
        if (size < ids.length) {
            up(size++, id, score);
        } else if (ids.length > 0 && isWorse(ids[0], scores[0], id, score)) {
            down(id, score);
        }
    }

    /** The score that another must exceed; negative infinity while there is room. */
    float worst() {
        return size < ids.length || size == 0 ? Float.NEGATIVE_INFINITY : scores[0];
    }

    /** Best first; empties the heap. */
    List<Scored> drain() {
        List<Scored> worstFirst = new ArrayList<>(size);
        while (size > 0) {
            worstFirst.add(new Scored(ids[0], scores[0]));
            size--;
            if (size > 0) {
                down(ids[size], scores[size]);
            }
        }
        java.util.Collections.reverse(worstFirst);
        return worstFirst;
    }

    private static boolean isWorse(int id, float score, int otherId, float otherScore) {
        return score < otherScore || score == otherScore && id > otherId;
    }

    private void up(int start, int id, float score) {
        int at = start;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (!isWorse(id, score, ids[parent], scores[parent])) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        ids[at] = id;
        scores[at] = score;
    }

    private void down(int id, float score) {
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && isWorse(ids[child + 1], scores[child + 1], ids[child], scores[child])) {
                child++;
            }
            if (!isWorse(ids[child], scores[child], id, score)) {
                break;
            }
            move(child, at);
            at = child;
        }
        ids[at] = id;
        scores[at] = score;
    }

    private void move(int from, int to) {
        ids[to] = ids[from];
        scores[to] = scores[from];
    }
}
