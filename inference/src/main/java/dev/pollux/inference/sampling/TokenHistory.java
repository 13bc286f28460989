package dev.pollux.inference.sampling;

import java.util.Arrays;

/** The tokens of a prompt and its continuation, for the penalties. <em>Not thread-safe: one thread at a time.</em> */
final class TokenHistory {

    private final int[] produced; // (vocabulary), number of occurrences in the continuation
    private final boolean[] present; // (vocabulary), whether prompt or continuation contains the token
    private int[] distinct = new int[64]; // (count and more), the tokens present
    private int count;

    TokenHistory(int vocabularySize) {
        this.produced = new int[vocabularySize];
        this.present = new boolean[vocabularySize];
    }

    /** Adds a token of the prompt. */
    void observe(int token) {
        if (!present[token]) {
            present[token] = true;
            if (count == distinct.length) {
                distinct = Arrays.copyOf(distinct, count * 2);
            }
            distinct[count++] = token;
        }
    }

    /** Adds a token of the continuation. */
    void produce(int token) {
        observe(token);
        produced[token]++;
    }

    /** Divides the positive and multiplies the negative logits of the tokens present (Keskar et al., arXiv:1909.05858). */
    void penalizeRepetition(float[] logits, float penalty) {
        for (int i = 0; i < count; i++) {
            int token = distinct[i];
            logits[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty;
        }
    }

    /** Subtracts presence + frequency · count from the logits of the tokens produced. */
    void penalizeProduced(float[] logits, double presence, double frequency) {
        for (int i = 0; i < count; i++) {
            int token = distinct[i];
            if (produced[token] > 0) {
                logits[token] -= (float) (presence + frequency * produced[token]);
            }
        }
    }
}
