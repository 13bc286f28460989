package dev.pollux.inference.engine;

import java.nio.FloatBuffer;

/** What tests ask of a row of logits, in double precision. */
final class Logits {

    private Logits() {}

    static int argmax(FloatBuffer logits) {
        int best = 0;
        for (int i = 1; i < logits.limit(); i++) {
            if (logits.get(i) > logits.get(best)) {
                best = i;
            }
        }
        return best;
    }

    /** The natural logarithm of the softmax of {@code id}. */
    static double logProbability(FloatBuffer logits, int id) {
        return logits.get(id) - logOfSum(logits);
    }

    /** The natural logarithms of the softmax, (vocabulary). */
    static double[] logProbabilities(FloatBuffer logits) {
        double sum = logOfSum(logits);
        double[] all = new double[logits.limit()];
        for (int i = 0; i < all.length; i++) {
            all[i] = logits.get(i) - sum;
        }
        return all;
    }

    /** log Σ exp. */
    private static double logOfSum(FloatBuffer logits) {
        double most = logits.get(argmax(logits));
        double sum = 0;
        for (int i = 0; i < logits.limit(); i++) {
            sum += Math.exp(logits.get(i) - most);
        }
        return most + Math.log(sum);
    }
}
