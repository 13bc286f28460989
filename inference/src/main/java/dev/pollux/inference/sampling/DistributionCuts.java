package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.util.Arrays;

/**
 * Converts logits to the distribution that a token is drawn from: top-k, temperature, top-p, min-p, typical-p. <em>Not
 * thread-safe: one thread at a time.</em>
 *
 * <p>The arrays are reused from token to token, so that a warm sampler allocates almost nothing.
 */
final class DistributionCuts {

    /*
     * The whole vocabulary is sorted only if a cut requires it.
     *
     *   top-k      finds the k-th largest logit with a heap of size k, and keeps all logits equal to it.
     *   top-p      sorts only tokens that can belong to the nucleus. Of n tokens, one with probability below (1 - p) / n is
     *              left out, because all such tokens together have less than the mass that may be missing.
     *   typical-p  sorts all remaining tokens by the distance of their surprise from the entropy.
     *
     * A sort is a sort of longs: the bits of the key, mapped to signed order, in the high half, and the index in the low half,
     * so equal keys keep their order.
     */

    private final GenerationOptions options;
    private final TokenDistribution result = new TokenDistribution();
    private float[] heap = {}; // (k), a min-heap
    private long[] order = {};
    private int[] ids = {}; // a copy to permute from
    private double[] values = {};

    DistributionCuts(GenerationOptions options) {
        this.options = options;
    }

    /** Puts all probability on one token. */
    TokenDistribution certain(int token) {
        result.certain(token);
        return result;
    }

    /**
     * Computes the distribution for {@link GenerationOptions} whose temperature is not 0.
     *
     * @param logits (vocabulary), after bias, penalties and constraint
     * @throws ModelExecutionException if the largest logit is infinite
     */
    TokenDistribution of(float[] logits) {
        topK(logits);
        softmax(logits);
        topP(logits);
        minP();
        typicalP();
        return result;
    }

    private void topK(float[] logits) {
        int k = options.topK();
        float least = k == 0 || k >= logits.length ? Float.NEGATIVE_INFINITY : kthLargest(logits, k);
        result.reserve(logits.length);
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= least && logits[id] != Float.NEGATIVE_INFINITY) {
                result.ids[count++] = id;
            }
        }
        result.count = count;
    }

    private float kthLargest(float[] logits, int k) {
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

    private void softmax(float[] logits) {
        double temperature = options.temperature();
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < result.count; i++) {
            most = Math.max(most, logits[result.ids[i]] / temperature);
        }
        if (!(Math.abs(most) < Double.POSITIVE_INFINITY)) {
            throw infinite(most);
        }
        for (int i = 0; i < result.count; i++) {
            result.probabilities[i] = Math.exp(logits[result.ids[i]] / temperature - most);
        }
        result.normalize();
    }

    static ModelExecutionException infinite(double largest) {
        return new ModelExecutionException("No token can be drawn: the largest logit is " + largest
                + "; check logitBias, or export the model again");
    }

    private void topP(float[] logits) {
        if (options.topP() >= 1) {
            return;
        }
        double least = (1 - options.topP()) / result.count;
        int some = 0;
        for (int i = 0; i < result.count; i++) {
            if (result.probabilities[i] >= least) {
                result.put(some++, result.ids[i], result.probabilities[i]);
            }
        }
        reserve(some);
        for (int i = 0; i < some; i++) {
            ids[i] = result.ids[i];
            values[i] = result.probabilities[i];
            order[i] = sortable(-logits[ids[i]], i);
        }
        Arrays.sort(order, 0, some);
        double mass = 0;
        int kept = 0;
        while (kept < some && (kept == 0 || mass < options.topP())) {
            int next = (int) order[kept];
            result.put(kept++, ids[next], values[next]);
            mass += values[next];
        }
        result.count = kept;
        result.normalize();
    }

    private void minP() {
        if (options.minP() == 0) {
            return;
        }
        reserve(result.count);
        double best = 0;
        for (int i = 0; i < result.count; i++) {
            values[i] = -result.probabilities[i]; // the largest probability sorts first
            best = Math.min(best, values[i]);
        }
        keep(options.minP() * best);
    }

    private void typicalP() {
        if (options.typicalP() >= 1) {
            return;
        }
        double[] p = result.probabilities;
        int count = result.count;
        double entropy = 0;
        for (int i = 0; i < count; i++) {
            entropy -= p[i] == 0 ? 0 : p[i] * Math.log(p[i]);
        }
        reserve(count);
        for (int i = 0; i < count; i++) {
            values[i] = Math.abs(-Math.log(p[i]) - entropy); // distance of the token's surprise from its expectation
            order[i] = sortable((float) values[i], i);
        }
        Arrays.sort(order, 0, count);
        double mass = 0;
        int last = 0;
        while (last < count && mass < options.typicalP()) {
            mass += p[(int) order[last++]];
        }
        keep(values[(int) order[last - 1]]); // and every token that is as typical as the last
    }

    /** Keeps the tokens whose value is at most {@code most}. */
    private void keep(double most) {
        int kept = 0;
        for (int i = 0; i < result.count; i++) {
            if (values[i] <= most) {
                result.put(kept++, result.ids[i], result.probabilities[i]);
            }
        }
        result.count = kept;
        result.normalize();
    }

    private void reserve(int size) {
        if (order.length < size) {
            int room = Math.min(result.ids.length, Math.max(size, order.length * 2));
            order = new long[room];
            ids = new int[room];
            values = new double[room];
        }
    }

    /** Sorts by ascending key, and equal keys by ascending index, which is the low half. */
    private static long sortable(float key, int index) {
        int bits = Float.floatToIntBits(key + 0f);
        int signed = bits < 0 ? bits ^ 0x7fffffff : bits; // signed order of the floats
        return (long) signed << 32 | index;
    }
}
