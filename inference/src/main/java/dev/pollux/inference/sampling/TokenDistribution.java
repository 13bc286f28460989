package dev.pollux.inference.sampling;

import java.util.Arrays;

/**
 * The tokens that may be drawn, with their probabilities, which sum to 1. Other tokens have probability 0.
 *
 * <p>A {@link Sampler} reuses the same object for each token: read it before the next call to the sampler. <em>Not thread-safe:
 * one thread at a time.</em>
 */
public final class TokenDistribution {

    int[] ids = new int[1]; // (count and more)
    double[] probabilities = new double[1]; // (count and more), summing to 1 over the first count
    int count;

    TokenDistribution() {}

    /** The number of tokens listed, at least 1. */
    public int size() {
        return count;
    }

    /**
     * A listed token.
     *
     * @param index in [0, {@link #size()}), in ascending order of the tokens
     */
    public int token(int index) {
        return ids[index];
    }

    /**
     * The probability of {@link #token token(index)}.
     *
     * @param index in [0, {@link #size()})
     */
    public double probability(int index) {
        return probabilities[index];
    }

    /** The probability of a token; 0 if it is not listed. Takes time linear in {@link #size()}. */
    public double probabilityOf(int token) {
        for (int i = 0; i < count; i++) {
            if (ids[i] == token) {
                return probabilities[i];
            }
        }
        return 0;
    }

    /**
     * Draws a token.
     *
     * @param uniform a uniform random number in [0, 1)
     */
    public int draw(double uniform) {
        double left = uniform;
        for (int i = 0; i < count; i++) {
            left -= probabilities[i];
            if (left < 0) {
                return ids[i];
            }
        }
        return ids[count - 1];
    }

    /** A copy, which stays as it is. */
    public TokenDistribution copy() {
        TokenDistribution copy = new TokenDistribution();
        copy.ids = Arrays.copyOf(ids, count);
        copy.probabilities = Arrays.copyOf(probabilities, count);
        copy.count = count;
        return copy;
    }

    /** Replaces the list by one token with probability 1. */
    void certain(int token) {
        put(0, token, 1);
        count = 1;
    }

    /** Makes room for {@code size} tokens. Values are lost if the arrays have to grow. */
    void reserve(int size) {
        if (ids.length < size) {
            ids = new int[size];
            probabilities = new double[size];
        }
    }

    void put(int index, int id, double probability) {
        ids[index] = id;
        probabilities[index] = probability;
    }
}
