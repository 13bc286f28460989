package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Chooses tokens by {@link GenerationOptions}; the order of work is given there, and equals that of transformers'
 * {@code generate}.
 *
 * <p>Nothing sorts the whole vocabulary: top-k selects with a heap, top-p sorts only tokens that can be in the nucleus. <em>Not thread-safe: one thread at a time.</em>
 */
public final class Sampler {

    private final GenerationOptions options;
    private final SplittableRandom random;
    private final float[] logits; // (vocabulary)
    private final Map<Integer, Integer> produced = new HashMap<>();
    private final Set<Integer> seen = new HashSet<>();

    private Sampler(GenerationOptions options, int vocabularySize) {
        this.options = options;
        this.logits = new float[vocabularySize];
        this.random =
                options.seed().isPresent() ? new SplittableRandom(options.seed().getAsLong()) : new SplittableRandom();
        options.logitBias().keySet().forEach(id -> {
            if (id < 0 || id >= vocabularySize) {
                throw new IllegalArgumentException(
                        "logitBias must name token ids in [0, " + vocabularySize + ") but named " + id);
            }
        });
    }

    /** A sampler for one generation. */
    public static Sampler of(GenerationOptions options, int vocabularySize) {
        return new Sampler(options, vocabularySize);
    }

    /** Tells what tokens the prompt has, for the repetition penalty. */
    public void observePrompt(int[] ids) {
        for (int id : ids) {
            seen.add(id);
        }
    }

    /**
     * Chooses the next token and remembers it.
     *
     * @param next (vocabulary), read from its position 0
     * @throws ModelExecutionException if a logit is not a number
     */
    public int next(FloatBuffer next) {
        next.get(0, logits);
        penalize();
        int best = argmax();
        int token = options.temperature() == 0 ? best : draw(distribution());
        produced.merge(token, 1, Integer::sum);
        seen.add(token);
        return token;
    }

    /** The distribution that a token would be drawn from: (vocabulary), summing to 1; zeros where a cut removed a token. */
    double[] probabilities(FloatBuffer next) {
        next.get(0, logits);
        penalize();
        double[] all = new double[logits.length];
        Candidates candidates = distribution();
        for (int i = 0; i < candidates.count; i++) {
            all[candidates.ids[i]] = candidates.probabilities[i];
        }
        return all;
    }

    /** Counts a token as produced, as {@link #next} does. */
    void observeProduced(int id) {
        produced.merge(id, 1, Integer::sum);
        seen.add(id);
    }

    private void penalize() {
        options.logitBias().forEach((id, bias) -> logits[id] += bias);
        float penalty = (float) options.repetitionPenalty();
        if (penalty != 1) {
            for (int id : seen) {
                logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
            }
        }
        if (options.presencePenalty() != 0 || options.frequencyPenalty() != 0) {
            produced.forEach((id, count) ->
                    logits[id] -= (float) (options.presencePenalty() + options.frequencyPenalty() * count));
        }
    }

    private int argmax() {
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            } else if (Float.isNaN(logits[i])) {
                throw new ModelExecutionException("The logit of token " + i
                        + " is not a number; the model file is damaged or its export is faulty: export it again");
            }
        }
        return best;
    }

    /** Tokens still in the draw, in no order. */
    private static final class Candidates {
        private final int[] ids; // (count and more)
        private final double[] probabilities; // (count and more), summing to 1 over the first count
        private int count;

        private Candidates(int[] ids) {
            this.ids = ids;
            this.count = ids.length;
            this.probabilities = new double[ids.length];
        }

        private void put(int index, int id, double probability) {
            ids[index] = id;
            probabilities[index] = probability;
        }

        /** Keeps the candidates whose {@code value} is at most {@code most}, and makes the rest sum to 1. */
        private void keep(double[] value, double most) {
            int kept = 0;
            for (int i = 0; i < count; i++) {
                if (value[i] <= most) {
                    put(kept++, ids[i], probabilities[i]);
                }
            }
            count = kept;
            normalize();
        }

        private void normalize() {
            double sum = 0;
            for (int i = 0; i < count; i++) {
                sum += probabilities[i];
            }
            for (int i = 0; i < count; i++) {
                probabilities[i] /= sum;
            }
        }
    }

    private Candidates distribution() {
        Candidates candidates = new Candidates(topK());
        softmax(candidates, options.temperature() == 0 ? 1 : options.temperature());
        topP(candidates);
        minP(candidates);
        typicalP(candidates);
        return candidates;
    }

    /** Ids of the k best logits and of all equal to the k-th. */
    private int[] topK() {
        int k = options.topK();
        int[] ids = new int[logits.length];
        int count = 0;
        float least = k == 0 || k >= logits.length ? Float.NEGATIVE_INFINITY : kthLargest(k);
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= least && logits[id] != Float.NEGATIVE_INFINITY) {
                ids[count++] = id;
            }
        }
        return Arrays.copyOf(ids, count);
    }

    private float kthLargest(int k) {
        float[] heap = Arrays.copyOf(logits, k); // smallest on top
        for (int i = k / 2 - 1; i >= 0; i--) {
            sink(heap, i);
        }
        for (int i = k; i < logits.length; i++) {
            if (logits[i] > heap[0]) {
                heap[0] = logits[i];
                sink(heap, 0);
            }
        }
        return heap[0];
    }

    private static void sink(float[] heap, int from) {
        int at = from;
        for (int child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
            if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
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

    private void softmax(Candidates c, double temperature) {
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < c.count; i++) {
            most = Math.max(most, logits[c.ids[i]] / temperature);
        }
        if (!(Math.abs(most) < Double.POSITIVE_INFINITY)) {
            throw new ModelExecutionException("No token can be drawn: the largest logit is " + most
                    + "; check logitBias, or export the model again");
        }
        for (int i = 0; i < c.count; i++) {
            c.probabilities[i] = Math.exp(logits[c.ids[i]] / temperature - most);
        }
        c.normalize();
    }

    private void topP(Candidates c) {
        if (options.topP() >= 1) {
            return;
        }
        // All tokens below this together are less than what may be left out, so the nucleus has none of them: few are
        // sorted.
        double least = (1 - options.topP()) / c.count;
        int some = 0;
        for (int i = 0; i < c.count; i++) {
            if (c.probabilities[i] >= least) {
                c.put(some++, c.ids[i], c.probabilities[i]);
            }
        }
        long[] order = ascending(some, i -> -logits[c.ids[i]]);
        int[] ids = Arrays.copyOf(c.ids, some);
        double[] probabilities = Arrays.copyOf(c.probabilities, some);
        double mass = 0;
        int kept = 0;
        while (kept < some && (kept == 0 || mass < options.topP())) {
            int next = (int) order[kept];
            c.put(kept++, ids[next], probabilities[next]);
            mass += probabilities[next];
        }
        c.count = kept;
        c.normalize();
    }

    private void minP(Candidates c) {
        if (options.minP() == 0) {
            return;
        }
        double[] share = new double[c.count]; // negative: the best has the smallest
        double best = 0;
        for (int i = 0; i < c.count; i++) {
            share[i] = -c.probabilities[i];
            best = Math.min(best, share[i]);
        }
        c.keep(share, options.minP() * best);
    }

    private void typicalP(Candidates c) {
        if (options.typicalP() >= 1) {
            return;
        }
        double entropy = 0;
        for (int i = 0; i < c.count; i++) {
            entropy -= c.probabilities[i] == 0 ? 0 : c.probabilities[i] * Math.log(c.probabilities[i]);
        }
        double[] distance = new double[c.count]; // of the token's surprise from the expected one
        for (int i = 0; i < c.count; i++) {
            distance[i] = Math.abs(-Math.log(c.probabilities[i]) - entropy);
        }
        long[] order = ascending(c.count, i -> (float) distance[i]);
        double mass = 0;
        int last = 0;
        while (last < c.count && mass < options.typicalP()) {
            mass += c.probabilities[(int) order[last++]];
        }
        c.keep(distance, distance[(int) order[last - 1]]); // and every token as typical as the last
    }

    @FunctionalInterface
    private interface Key {
        float of(int index);
    }

    /** The indices 0 … count − 1 by rising key, equal keys by rising index; each in the low half of its element. */
    private static long[] ascending(int count, Key key) {
        long[] order = new long[count];
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToIntBits(key.of(i) + 0f);
            int signed = bits < 0 ? bits ^ 0x7fffffff : bits; // signed order of the floats
            order[i] = (long) signed << 32 | i;
        }
        Arrays.sort(order);
        return order;
    }

    private int draw(Candidates c) {
        double left = random.nextDouble();
        for (int i = 0; i < c.count; i++) {
            left -= c.probabilities[i];
            if (left < 0) {
                return c.ids[i];
            }
        }
        return c.ids[c.count - 1];
    }
}
