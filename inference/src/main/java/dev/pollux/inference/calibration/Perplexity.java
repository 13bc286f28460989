package dev.pollux.inference.calibration;

import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.job.JobContext;
import java.nio.FloatBuffer;

/**
 * A measure of how well a model predicts a text: exp of the mean negative log-likelihood of its tokens, each given the tokens
 * before it. <em>Immutable.</em>
 *
 * @param meanNll mean negative log-likelihood, in nats
 * @param tokens number of predicted tokens: all but the first
 */
public record Perplexity(double meanNll, int tokens) {

    /** The perplexity. */
    public double value() {
        return Math.exp(meanNll);
    }

    /**
     * Measures the perplexity in one pass.
     *
     * @param ids at least two token ids, at most as many as the context length
     */
    public static Perplexity of(DecoderModel model, int[] ids, JobContext context) {
        if (ids.length < 2) {
            throw new IllegalArgumentException("ids must hold at least two tokens but held " + ids.length);
        }
        try (DecoderSequence sequence = model.sequence()) {
            double nll = context.cancellable(sequence::interrupt, () -> nll(sequence, ids, context));
            return new Perplexity(nll / (ids.length - 1), ids.length - 1);
        }
    }

    private static double nll(DecoderSequence sequence, int[] ids, JobContext context) {
        double[] sum = new double[1];
        sequence.append(ids, (position, logits) -> {
            context.checkCancelled();
            if (position + 1 < ids.length) {
                sum[0] -= logProbability(logits, ids[position + 1]);
                context.progress("perplexity", position + 1, ids.length - 1, "tokens");
            }
        });
        return sum[0];
    }

    /**
     * The natural logarithm of a token's probability, in double precision.
     *
     * @param logits (vocabulary), read from its position 0
     */
    public static double logProbability(FloatBuffer logits, int id) {
        float most = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.limit(); i++) {
            most = Math.max(most, logits.get(i));
        }
        double sum = 0;
        for (int i = 0; i < logits.limit(); i++) {
            sum += Math.exp(logits.get(i) - most);
        }
        return logits.get(id) - most - Math.log(sum);
    }
}
