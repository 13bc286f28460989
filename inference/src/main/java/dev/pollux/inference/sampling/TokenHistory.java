package dev.pollux.inference.sampling;

import java.util.Arrays;

/** The tokens of a prompt and its continuation, in order and counted. <em>Not thread-safe: one thread at a time.</em> */
final class TokenHistory {

    private final int[] produced; // (vocabulary), number of occurrences in the continuation
    private final boolean[] present; // (vocabulary), whether prompt or continuation contains the token
    private int[] distinct = new int[64]; // (distinctCount and more), the tokens present
    private int distinctCount;
    private int[] tokens = new int[64]; // (count and more)
    private int count;
    private int promptLength;

    TokenHistory(int vocabularySize) {
        this.produced = new int[vocabularySize];
        this.present = new boolean[vocabularySize];
    }

    /** Adds a token of the prompt. */
    void observe(int token) {
        append(token);
        promptLength++;
    }

    /** Adds a token of the continuation. */
    void produce(int token) {
        append(token);
        produced[token]++;
    }

    private void append(int token) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, count * 2);
        }
        tokens[count++] = token;
        if (!present[token]) {
            present[token] = true;
            if (distinctCount == distinct.length) {
                distinct = Arrays.copyOf(distinct, distinctCount * 2);
            }
            distinct[distinctCount++] = token;
        }
    }

    /** The number of tokens. */
    int size() {
        return count;
    }

    /** The number of tokens of the prompt. */
    int promptLength() {
        return promptLength;
    }

    /** A token. */
    int token(int index) {
        return tokens[index];
    }

    /** (size), a copy. */
    int[] tokens() {
        return Arrays.copyOf(tokens, count);
    }

    /** Whether the tokens from {@code first} on equal the last {@code length} ones. */
    boolean endsLike(int first, int length) {
        return Arrays.equals(tokens, first, first + length, tokens, count - length, count);
    }

    /** Whether the last tokens are the first {@code length} ones of a sequence. */
    boolean endsWith(int[] sequence, int length) {
        return length <= count && Arrays.equals(tokens, count - length, count, sequence, 0, length);
    }

    /** Divides the positive and multiplies the negative logits of the tokens present (Keskar et al., arXiv:1909.05858). */
    void penalizeRepetition(float[] logits, float penalty) {
        for (int i = 0; i < distinctCount; i++) {
            int token = distinct[i];
            logits[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty;
        }
    }

    /** Subtracts presence + frequency · count from the logits of the tokens produced. */
    void penalizeProduced(float[] logits, double presence, double frequency) {
        for (int i = 0; i < distinctCount; i++) {
            int token = distinct[i];
            if (produced[token] > 0) {
                logits[token] -= (float) (presence + frequency * produced[token]);
            }
        }
    }

    /** Forbids each token that would make a sequence of {@code length} tokens occur again. */
    void forbidRepeatedSequences(float[] logits, int length) {
        for (int last = length - 1; last < count; last++) {
            if (endsLike(last - length + 1, length - 1)) {
                logits[tokens[last]] = Float.NEGATIVE_INFINITY;
            }
        }
    }
}
