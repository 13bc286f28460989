package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of one generation. The Javadoc of {@link GenerationOptions} defines the order of the steps, which equals
 * that of transformers' {@code generate}. A {@link TokenConstraint} is applied after the penalties and before temperature and
 * cuts.
 *
 * <p>{@link #next} calls {@link #distribution}, draws from it and calls {@link #accept}. A caller with a different way of
 * drawing, such as the verification of drafts, calls the parts:
 *
 * <pre>{@code
 * Sampler sampler = Sampler.of(options, logits.limit());
 * sampler.observePrompt(prompt);
 * TokenDistribution p = sampler.distribution(logits);
 * int token = p.draw(random.nextDouble());
 * sampler.accept(token);
 * }</pre>
 *
 * <p><em>Not thread-safe: one thread at a time.</em>
 */
public final class Sampler {

    private final GenerationOptions options;
    private final SplittableRandom random;
    private final float[] logits; // (vocabulary)
    private final DistributionCuts cuts;
    private final @Nullable TokenHistory history; // null if no penalty needs it
    private final int[] biased; // token ids
    private final float[] biases; // one for each biased token
    private @Nullable TokenConstraint constraint;
    private final long[] allowed; // one bit per token; empty without a constraint

    private Sampler(GenerationOptions options, int vocabularySize, @Nullable TokenConstraint constraint) {
        this.options = options;
        this.logits = new float[vocabularySize];
        this.random =
                options.seed().isPresent() ? new SplittableRandom(options.seed().getAsLong()) : new SplittableRandom();
        this.cuts = new DistributionCuts(options);
        boolean penalties =
                options.repetitionPenalty() != 1 || options.presencePenalty() != 0 || options.frequencyPenalty() != 0;
        this.history = penalties ? new TokenHistory(vocabularySize) : null;
        this.constraint = constraint;
        this.allowed = new long[constraint == null ? 0 : (vocabularySize + Long.SIZE - 1) / Long.SIZE];
        this.biased = new int[options.logitBias().size()];
        this.biases = new float[biased.length];
        int count = 0;
        for (Map.Entry<Integer, Float> bias : options.logitBias().entrySet()) {
            int id = bias.getKey();
            if (id < 0 || id >= vocabularySize) {
                throw new IllegalArgumentException(
                        "logitBias must name token ids in [0, " + vocabularySize + ") but named " + id);
            }
            biased[count] = id;
            biases[count++] = bias.getValue();
        }
    }

    /**
     * A sampler for one generation.
     *
     * @throws IllegalArgumentException if a bias names a token that is not in the vocabulary
     */
    public static Sampler of(GenerationOptions options, int vocabularySize) {
        return new Sampler(options, vocabularySize, null);
    }

    /**
     * A sampler for one generation with a constraint on its tokens.
     *
     * @param constraint the constraint on the first generated token
     * @throws IllegalArgumentException if a bias names a token that is not in the vocabulary
     */
    public static Sampler of(GenerationOptions options, int vocabularySize, TokenConstraint constraint) {
        return new Sampler(options, vocabularySize, constraint);
    }

    /**
     * Registers the tokens of the prompt for the repetition penalty. The constraint does not see them.
     *
     * @throws IllegalArgumentException if a token is not in the vocabulary
     */
    public void observePrompt(int[] ids) {
        for (int id : ids) {
            requireToken(id);
            if (history != null) {
                history.observe(id);
            }
        }
    }

    /**
     * Chooses the next token and accepts it.
     *
     * @param next (vocabulary), read from its position 0
     * @throws ModelExecutionException if a logit is not a number, or no token can be drawn
     */
    public int next(FloatBuffer next) {
        TokenDistribution distribution = distribution(next);
        int token = options.temperature() == 0 ? distribution.token(0) : distribution.draw(random.nextDouble());
        accept(token);
        return token;
    }

    /**
     * The distribution that the next token is drawn from, after penalties, constraint, temperature and cuts; with greedy
     * decoding, only the best token. The call changes no state: the same logits give the same distribution again.
     *
     * @param next (vocabulary), read from its position 0
     * @return valid until the next call
     * @throws ModelExecutionException if a logit is not a number, or no token can be drawn
     */
    public TokenDistribution distribution(FloatBuffer next) {
        next.get(0, logits);
        penalize();
        constrain();
        int best = argmax();
        if (logits[best] == Float.NEGATIVE_INFINITY) {
            throw constraint == null
                    ? DistributionCuts.infinite(logits[best])
                    : new ModelExecutionException("No token can be drawn: the constraint forbids every token that the"
                            + " model can write; loosen the constraint");
        }
        return options.temperature() == 0 ? cuts.certain(best) : cuts.of(logits);
    }

    /**
     * Registers a token as generated: penalties take it into account, and the constraint advances.
     *
     * @throws IllegalArgumentException if the token is not in the vocabulary
     */
    public void accept(int token) {
        requireToken(token);
        if (history != null) {
            history.produce(token);
        }
        if (constraint != null) {
            constraint = constraint.after(token);
        }
    }

    private void requireToken(int id) {
        if (id < 0 || id >= logits.length) {
            throw new IllegalArgumentException("token ids must be in [0, " + logits.length + ") but one was " + id);
        }
    }

    private void penalize() {
        for (int i = 0; i < biased.length; i++) {
            logits[biased[i]] += biases[i];
        }
        if (history == null) {
            return;
        }
        if (options.repetitionPenalty() != 1) {
            history.penalizeRepetition(logits, (float) options.repetitionPenalty());
        }
        if (options.presencePenalty() != 0 || options.frequencyPenalty() != 0) {
            history.penalizeProduced(logits, options.presencePenalty(), options.frequencyPenalty());
        }
    }

    private void constrain() {
        if (constraint == null) {
            return;
        }
        Arrays.fill(allowed, -1);
        constraint.mask(allowed);
        for (int word = 0; word < allowed.length; word++) {
            int end = Math.min(logits.length, (word + 1) * Long.SIZE);
            for (int id = word * Long.SIZE; allowed[word] != -1 && id < end; id++) {
                if ((allowed[word] >>> id & 1) == 0 && !Float.isNaN(logits[id])) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
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
}
