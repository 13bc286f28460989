package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.TokenLogProbability;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
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

    /**
     * The facts about a vocabulary that the options need.
     *
     * @param size the number of tokens, at least 1
     * @param endTokens token ids that end a text; may be empty
     * @param texts the text of a token id, for the breakers of {@link dev.pollux.generation.Dry} and for log-probabilities
     */
    public record Vocabulary(int size, Set<Integer> endTokens, IntFunction<String> texts) {

        /** A vocabulary without end tokens and texts. */
        public static Vocabulary of(int size) {
            return new Vocabulary(size, Set.of(), id -> "");
        }
    }

    private final GenerationOptions options;
    private final long seed;
    private final SplittableRandom random;
    private final List<Double> coming = new ArrayList<>(); // random numbers of the next draws that were looked at
    private final float[] logits; // (vocabulary)
    private final DistributionCuts cuts;
    private final LogitRules rules;
    private final IntFunction<String> texts; // of token ids
    private @Nullable TokenConstraint constraint;
    private final long[] allowed; // one bit per token; empty without a constraint

    private Sampler(GenerationOptions options, Vocabulary vocabulary, @Nullable TokenConstraint constraint) {
        this.options = options;
        this.logits = new float[vocabulary.size()];
        this.seed = options.seed().isPresent() ? options.seed().getAsLong() : new SplittableRandom().nextLong();
        this.random = new SplittableRandom(seed);
        this.cuts = new DistributionCuts(options);
        this.rules = new LogitRules(options, vocabulary);
        this.texts = vocabulary.texts();
        this.constraint = constraint;
        this.allowed = new long[constraint == null ? 0 : (logits.length + Long.SIZE - 1) / Long.SIZE];
    }

    /**
     * A sampler for one generation from a vocabulary whose end tokens and texts no option needs.
     *
     * @throws IllegalArgumentException if an option names a token that is not in the vocabulary
     */
    public static Sampler of(GenerationOptions options, int vocabularySize) {
        return of(options, Vocabulary.of(vocabularySize));
    }

    /**
     * A sampler for one generation.
     *
     * @throws IllegalArgumentException if an option names a token that is not in the vocabulary
     */
    public static Sampler of(GenerationOptions options, Vocabulary vocabulary) {
        return new Sampler(options, vocabulary, null);
    }

    /**
     * A sampler for one generation with a constraint on its tokens.
     *
     * @param constraint the constraint on the first generated token
     * @throws IllegalArgumentException if an option names a token that is not in the vocabulary
     */
    public static Sampler of(GenerationOptions options, Vocabulary vocabulary, TokenConstraint constraint) {
        return new Sampler(options, vocabulary, constraint);
    }

    /**
     * Registers the tokens of the prompt for the rules that look at them. The constraint does not see them.
     *
     * @throws IllegalArgumentException if a token is not in the vocabulary
     */
    public void observePrompt(int[] ids) {
        for (int id : ids) {
            requireToken(id);
            rules.observe(id);
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
        int token = options.temperature() == 0 ? distribution.token(0) : distribution.draw(draw());
        accept(token);
        return token;
    }

    /**
     * Chooses the next token and accepts it, where a token was drafted in its place. The token that was drafted is chosen as often
     * as possible, and the chosen token has the same distribution as without a draft (Leviathan et al., arXiv:2211.17192; Chen et
     * al., arXiv:2302.01318). With a seed, the token is not the one that {@link #next(FloatBuffer)} chooses.
     *
     * @param next (vocabulary), read from its position 0
     * @param drafted a token that was drawn from {@code draft}
     * @throws ModelExecutionException if a logit is not a number, or no token can be drawn
     */
    public int next(FloatBuffer next, int drafted, TokenDistribution draft) {
        TokenDistribution distribution = distribution(next);
        int token = drafted;
        if (!AcceptanceRule.accepts(distribution, draft, drafted, draw())) {
            token = AcceptanceRule.rest(distribution, draft).draw(draw());
        }
        accept(token);
        return token;
    }

    /**
     * The random number with which a later call of {@link #next(FloatBuffer)} draws. A draft that is drawn with it is likely to be the
     * token that will be chosen, and the choice stays as it is without a draft.
     *
     * @param ahead the number of draws before, at least 0
     */
    public double uniform(int ahead) {
        while (coming.size() <= ahead) {
            coming.add(random.nextDouble());
        }
        return coming.get(ahead);
    }

    private double draw() {
        return coming.isEmpty() ? random.nextDouble() : coming.remove(0);
    }

    /**
     * Changes the logits of the next token, or their log-probabilities, by the rules before temperature and cuts: biases, penalties,
     * prohibitions and processors of the host. The call changes no state.
     *
     * @param values (vocabulary), which are changed
     */
    public void applyRules(float[] values) {
        rules.apply(values);
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
        rules.apply(logits);
        constrain();
        int best = argmax();
        if (logits[best] == Float.NEGATIVE_INFINITY) {
            throw constraint == null
                    ? DistributionCuts.infinite(logits[best])
                    : new ModelExecutionException("No token can be drawn: the constraint forbids every token that the"
                            + " model can write; loosen the constraint");
        }
        return options.temperature() == 0 ? cuts.certain(best) : cuts.of(logits, logits[best], uniform());
    }

    /**
     * Registers a token as generated: penalties take it into account, and the constraint advances.
     *
     * @throws IllegalArgumentException if the token is not in the vocabulary
     */
    public void accept(int token) {
        requireToken(token);
        rules.produce(token);
        cuts.observe(token);
        if (constraint != null) {
            constraint = constraint.after(token);
        }
    }

    /**
     * The log-probabilities of a token and of the best tokens, as the model gives them. The call changes no state.
     *
     * @param next (vocabulary), read from its position 0
     * @param token in the vocabulary
     * @param top the number of best tokens, at least 0
     */
    public TokenLogProbability logProbability(FloatBuffer next, int token, int top) {
        requireToken(token);
        float[] row = new float[logits.length];
        next.get(0, row);
        LargestLogits largest = new LargestLogits();
        int count = largest.sort(row, Math.max(1, top));
        double best = row[largest.ids()[0]];
        double sum = 0;
        for (float logit : row) {
            sum += Exponential.ofMinus(best - logit);
        }
        double logSum = best + StrictMath.log(sum);
        List<TokenLogProbability> tops = new ArrayList<>();
        for (int i = 0; i < Math.min(count, top); i++) {
            tops.add(scored(largest.ids()[i], row, logSum, List.of()));
        }
        return scored(token, row, logSum, tops);
    }

    private TokenLogProbability scored(int token, float[] row, double logSum, List<TokenLogProbability> top) {
        return new TokenLogProbability(token, texts.apply(token), Math.min(0, row[token] - logSum), top);
    }

    private void requireToken(int id) {
        if (id < 0 || id >= logits.length) {
            throw new IllegalArgumentException("token ids must be in [0, " + logits.length + ") but one was " + id);
        }
    }

    /** A random number of this position, the same whenever it is asked for. */
    private double uniform() {
        return options.xtc().isPresent() ? new SplittableRandom(seed ^ ~(long) rules.produced()).nextDouble() : 1;
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
