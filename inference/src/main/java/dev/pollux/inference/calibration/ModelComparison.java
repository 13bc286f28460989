package dev.pollux.inference.calibration;

import java.util.Map;
import java.util.TreeMap;

/**
 * How far a model is from another with the same vocabulary, such as a quantized model from its original. <em>Immutable.</em>
 *
 * <p>Both models read the same tokens. Intervals hold with a probability of 95 %: they are percentiles of means over blocks of
 * consecutive tokens that are drawn with replacement (a block bootstrap), since neighbouring tokens depend on each other.
 *
 * @param tokens number of tokens that were predicted
 * @param a the first model, the reference
 * @param b the second model
 * @param perplexityRatio perplexity of {@code b} ÷ perplexity of {@code a}; above 1 if {@code b} is worse
 * @param kl mean over the tokens of KL(a‖b) = Σ p_a · ln(p_a / p_b), in nats
 * @param klP99 99th percentile of KL(a‖b) over the tokens
 * @param topOneAgreement share of the tokens where both models rank the same token first, in [0, 1]
 * @param firstDivergence median over greedy continuations of the number of tokens that are equal before the first that
 *     differs; {@code continuation} if half of them or more do not differ
 * @param continuation number of tokens of a continuation
 */
public record ModelComparison(
        int tokens,
        Side a,
        Side b,
        Interval perplexityRatio,
        Interval kl,
        double klP99,
        double topOneAgreement,
        double firstDivergence,
        int continuation) {

    /**
     * One of the models.
     *
     * @param perplexity exp of the mean negative log-likelihood of the tokens
     * @param bytes size of the graph and its weights
     * @param loadMillis time to load it, in milliseconds
     * @param prefillTokensPerSecond tokens read per second, many in a step
     * @param decodeTokensPerSecond tokens generated per second
     */
    public record Side(
            double perplexity,
            long bytes,
            long loadMillis,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond) {}

    /**
     * A value with its interval of 95 %.
     *
     * @param value the mean
     * @param low the lower end
     * @param high the upper end
     */
    public record Interval(double value, double low, double high) {}

    /** The measures that do not depend on the machine, by name, for the scores of an artifact. */
    public Map<String, Double> scores() {
        Map<String, Double> scores = new TreeMap<>();
        scores.put("perplexity", b.perplexity());
        scores.put("perplexityRatio", perplexityRatio.value());
        scores.put("kl", kl.value());
        scores.put("topOneAgreement", topOneAgreement);
        return scores;
    }
}
