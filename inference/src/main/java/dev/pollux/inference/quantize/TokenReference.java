package dev.pollux.inference.quantize;

import dev.pollux.artifact.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

/** What the original model predicts after each token of a window. <em>Immutable.</em> */
final class TokenReference {

    private static final int ROWS = 16;

    private final int[] ids;
    private final float[] logits; // (tokens, vocabulary)
    private final float[] shares; // (tokens, vocabulary), probabilities
    private final double[] logSums; // (tokens), ln Σ exp(logit)

    private TokenReference(int[] ids, float[] logits) {
        this.ids = ids;
        this.logits = logits;
        this.shares = new float[logits.length];
        this.logSums = new double[ids.length];
    }

    /** @param logits (tokens, vocabulary) of the original model */
    static TokenReference of(int[] ids, float[] logits, Workers workers) {
        TokenReference made = new TokenReference(ids, logits);
        List<Future<Integer>> parts = new ArrayList<>();
        for (int from = 0; from < ids.length; from += ROWS) {
            int first = from;
            parts.add(workers.submit(() -> made.sum(first, Math.min(ids.length, first + ROWS))));
        }
        parts.forEach(part -> workers.await(part, () -> {}));
        return made;
    }

    private int sum(int first, int end) {
        for (int token = first; token < end; token++) {
            logSums[token] = logSum(logits, token);
            int vocabulary = logits.length / ids.length;
            for (int i = token * vocabulary; i < (token + 1) * vocabulary; i++) {
                shares[i] = (float) Math.exp(logits[i] - logSums[token]);
            }
        }
        return end - first;
    }

    private double logSum(float[] of, int token) {
        int vocabulary = logits.length / ids.length;
        int from = token * vocabulary;
        float most = Float.NEGATIVE_INFINITY;
        for (int i = from; i < from + vocabulary; i++) {
            most = Math.max(most, of[i]);
        }
        double sum = 0;
        for (int i = from; i < from + vocabulary; i++) {
            sum += Math.exp(of[i] - most);
        }
        return most + Math.log(sum);
    }

    /** The tokens. */
    int[] ids() {
        return ids;
    }

    /**
     * Σ over some tokens of KL(original‖other) = Σ p · (a − b) − ln Σ exp(a) + ln Σ exp(b).
     *
     * @param other (tokens, vocabulary), logits of the other model
     */
    double divergence(float[] other, int first, int end) {
        int vocabulary = logits.length / ids.length;
        double all = 0;
        for (int token = first; token < end; token++) {
            double difference = 0;
            for (int i = token * vocabulary; i < (token + 1) * vocabulary; i++) {
                difference += shares[i] * ((double) logits[i] - other[i]);
            }
            all += difference - logSums[token] + logSum(other, token);
        }
        return all;
    }
}
