package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Chooses tokens by {@link GenerationOptions}; the order of work is given there, and equals that of transformers'
 * {@code generate}.
 *
 * <p>Candidates are kept as an array sorted by falling logit; top-k selects before it sorts, so that a large vocabulary is
 * sorted only where every token counts. <em>Not thread-safe: one thread at a time.</em>
 */
public final class Sampler {

    private final GenerationOptions options;
    private final SplittableRandom random;
    private final float[] logits; // (vocabulary)
    private final Map<Integer, Integer> produced = new HashMap<>();
    private final Map<Integer, Boolean> seen = new HashMap<>();

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
            seen.put(id, true);
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
        seen.put(token, true);
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
        seen.put(id, true);
    }

    private void penalize() {
        options.logitBias().forEach((id, bias) -> logits[id] += bias);
        float penalty = (float) options.repetitionPenalty();
        if (penalty != 1) {
            for (int id : seen.keySet()) {
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

    private static final class Candidates {
        private final int[] ids; // (count and more), by falling logit
        private final double[] probabilities;
        private int count;

        private Candidates(int[] ids) {
            this.ids = ids;
            this.count = ids.length;
            this.probabilities = new double[ids.length];
        }
    }

    private Candidates distribution() {
        double temperature = options.temperature() == 0 ? 1 : options.temperature();
        Candidates candidates = new Candidates(sorted(topK()));
        softmax(candidates, temperature);
        topP(candidates);
        minP(candidates);
        typicalP(candidates);
        normalize(candidates);
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

    private int[] sorted(int[] ids) {
        long[] keys = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            int bits = Float.floatToIntBits(logits[ids[i]] + 0f);
            int ascending = bits < 0 ? ~bits : bits | 0x80000000; // unsigned order of the floats
            keys[i] = (long) ~ascending << 32 ^ Long.MIN_VALUE | ids[i] & 0xffffffffL;
        }
        Arrays.sort(keys);
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) keys[i];
        }
        return ids;
    }

    private void softmax(Candidates c, double temperature) {
        double most = logits[c.ids[0]] / temperature;
        for (int i = 0; i < c.count; i++) {
            c.probabilities[i] = Math.exp(logits[c.ids[i]] / temperature - most);
        }
        normalize(c);
    }

    private static void normalize(Candidates c) {
        double sum = 0;
        for (int i = 0; i < c.count; i++) {
            sum += c.probabilities[i];
        }
        for (int i = 0; i < c.count; i++) {
            c.probabilities[i] /= sum;
        }
    }

    private void topP(Candidates c) {
        if (options.topP() >= 1) {
            return;
        }
        double mass = 0;
        int kept = 0;
        while (kept < c.count && (kept == 0 || mass < options.topP())) {
            mass += c.probabilities[kept++];
        }
        c.count = kept;
        normalize(c);
    }

    private void minP(Candidates c) {
        if (options.minP() == 0) {
            return;
        }
        double least = options.minP() * c.probabilities[0];
        int kept = 1;
        while (kept < c.count && c.probabilities[kept] >= least) {
            kept++;
        }
        c.count = kept;
        normalize(c);
    }

    private void typicalP(Candidates c) {
        if (options.typicalP() >= 1) {
            return;
        }
        double entropy = 0;
        for (int i = 0; i < c.count; i++) {
            entropy -= c.probabilities[i] == 0 ? 0 : c.probabilities[i] * Math.log(c.probabilities[i]);
        }
        double typical = entropy;
        Integer[] order = new Integer[c.count];
        Arrays.setAll(order, i -> i);
        Arrays.sort(
                order,
                (a, b) -> Double.compare(
                        Math.abs(-Math.log(c.probabilities[a]) - typical),
                        Math.abs(-Math.log(c.probabilities[b]) - typical)));
        boolean[] keep = new boolean[c.count];
        double mass = 0;
        for (int i = 0; i < order.length && (i == 0 || mass < options.typicalP()); i++) {
            keep[order[i]] = true;
            mass += c.probabilities[order[i]];
        }
        int kept = 0;
        for (int i = 0; i < c.count; i++) {
            if (keep[i]) {
                c.ids[kept] = c.ids[i];
                c.probabilities[kept++] = c.probabilities[i];
            }
        }
        c.count = kept;
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
