package dev.pollux.inference.sampling;

/**
 * The tokens that may be drawn, with their probabilities, which sum to 1. Tokens that are not listed have probability 0.
 *
 * <p>A {@link Sampler} fills the same object anew for each token: read it before the sampler's next call. <em>Not thread-safe:
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
     * A token that is listed.
     *
     * @param index in [0, {@link #size()}), in no order
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

    /** The probability of a token; 0 if it is not listed. Looks through the list. */
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

    /** Lists one token. */
    void certain(int token) {
        put(0, token, 1);
        count = 1;
    }

    /** Makes room for {@code size} tokens, whose values are lost if there is not enough yet. */
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

    /** Makes the probabilities sum to 1. */
    void normalize() {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += probabilities[i];
        }
        for (int i = 0; i < count; i++) {
            probabilities[i] /= sum;
        }
    }
}
