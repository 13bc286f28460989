package dev.pollux.inference.sampling;

import java.util.Arrays;

/** The k largest of many logits. <em>Not thread-safe: one thread at a time.</em> */
final class LargestLogits {

    private float[] heap = {}; // (k), a min-heap
    private long[] order = {};
    private int[] ids = {};

    /**
     * The k-th largest logit.
     *
     * @param k in [1, number of logits]
     */
    float threshold(float[] logits, int k) {
        if (heap.length < k) {
            heap = new float[k];
        }
        System.arraycopy(logits, 0, heap, 0, k);
        for (int i = k / 2 - 1; i >= 0; i--) {
            sink(k, i);
        }
        for (int i = k; i < logits.length; i++) {
            if (logits[i] > heap[0]) {
                heap[0] = logits[i];
                sink(k, 0);
            }
        }
        return heap[0];
    }

    /**
     * Finds the k largest logits, or all if there are fewer; of equal ones at the end, those with the smaller ids.
     *
     * @return the number of tokens found, now in {@link #ids()}, largest first
     */
    int sort(float[] logits, int k) {
        int size = Math.min(k, logits.length);
        float least = threshold(logits, size);
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= least) {
                if (count == order.length) {
                    order = Arrays.copyOf(order, Math.max(size, 2 * count));
                }
                order[count++] = sortable(-logits[id], id);
            }
        }
        Arrays.sort(order, 0, count);
        if (ids.length < size) {
            ids = new int[size];
        }
        for (int i = 0; i < size; i++) {
            ids[i] = (int) order[i];
        }
        return size;
    }

    /** (k and more), the tokens that {@link #sort} found. */
    int[] ids() {
        return ids;
    }

    private void sink(int size, int from) {
        int at = from;
        for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[at] <= heap[child]) {
                return;
            }
            float swap = heap[at];
            heap[at] = heap[child];
            heap[child] = swap;
            at = child;
        }
    }

    /** Sorts by ascending key, and equal keys by ascending id, which is the low half. */
    private static long sortable(float key, int id) {
        int bits = Float.floatToIntBits(key + 0f);
        int signed = bits < 0 ? bits ^ 0x7fffffff : bits; // signed order of the floats
        return (long) signed << Integer.SIZE | id;
    }
}
