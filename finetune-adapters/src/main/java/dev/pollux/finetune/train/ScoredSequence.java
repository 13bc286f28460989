package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.TokenMeasures;

/**
 * The scored tokens of a sequence. Arrays have an element for each, (tokens).
 *
 * @param logProbabilities under the model in training
 * @param reference log-probabilities under the reference; of length 0 if there is none
 * @param entropies of the predicted distributions, in nats
 * @param meanLogits means of the logits
 * @param hits 1 where the token has the largest logit
 * @param collisions Σ p² of the predicted distributions
 * @param divergences of the predicted distributions from those of a teacher; 0 without one
 * @param completion whether the token belongs to the completion, else to the prompt
 */
record ScoredSequence(
        double[] logProbabilities,
        double[] reference,
        double[] entropies,
        double[] meanLogits,
        double[] hits,
        double[] collisions,
        double[] divergences,
        boolean[] completion) {

    /** Without a teacher. */
    ScoredSequence(
            double[] logProbabilities,
            double[] reference,
            double[] entropies,
            double[] meanLogits,
            double[] hits,
            double[] collisions,
            boolean[] completion) {
        this(
                logProbabilities,
                reference,
                entropies,
                meanLogits,
                hits,
                collisions,
                new double[completion.length],
                completion);
    }

    static ScoredSequence of(TokenMeasures measures, int first, boolean[] completion, double[] reference) {
        int count = completion.length;
        return new ScoredSequence(
                part(measures.logProbabilities(), first, count),
                reference,
                part(measures.entropies(), first, count),
                part(measures.meanLogits(), first, count),
                part(measures.hits(), first, count),
                part(measures.collisions(), first, count),
                part(measures.divergences(), first, count),
                completion);
    }

    static double[] part(float[] values, int first, int count) {
        double[] part = new double[count];
        for (int i = 0; i < count; i++) {
            part[i] = values[first + i];
        }
        return part;
    }

    int tokens() {
        return completion.length;
    }

    /** The number of tokens of the completion. */
    int length() {
        int count = 0;
        for (boolean own : completion) {
            count += own ? 1 : 0;
        }
        return count;
    }

    /** The sum over the tokens of the completion. */
    double sum(double[] values) {
        double sum = 0;
        for (int i = 0; i < completion.length; i++) {
            sum += completion[i] ? values[i] : 0;
        }
        return sum;
    }

    double sum() {
        return sum(logProbabilities);
    }

    /** The mean over the tokens of the completion. */
    double mean() {
        return sum() / length();
    }

    /** log p − log p of the reference, summed over the completion. */
    double ratio() {
        return sum() - sum(reference);
    }
}
