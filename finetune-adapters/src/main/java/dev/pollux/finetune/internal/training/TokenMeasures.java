package dev.pollux.finetune.internal.training;

/**
 * Measures of the predicted tokens of a batch, each (targets). <em>Immutable.</em>
 *
 * @param logProbabilities natural logarithms of the probabilities of the tokens
 * @param entropies of the predicted distributions, in nats
 * @param meanLogits the mean of the logits
 * @param hits 1 where the token has the largest logit, else 0
 * @param collisions Σ p² of the predicted distributions
 * @param divergences from the predictions of a teacher, 0 without one
 */
public record TokenMeasures(
        float[] logProbabilities,
        float[] entropies,
        float[] meanLogits,
        float[] hits,
        float[] collisions,
        float[] divergences) {

    /** Scores of texts in place of log-probabilities; the other measures are 0. */
    static TokenMeasures ofScores(float[] scores) {
        float[] none = new float[scores.length];
        return new TokenMeasures(scores, none, none, none, none, none);
    }
}
