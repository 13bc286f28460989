package dev.pollux.inference.internal.layer;

import dev.pollux.tensor.StackedMatrix;

/**
 * The product that gives logits: times {@code factor}, then, where {@code cap} is above 0, cap · tanh(· / cap).
 *
 * @param matrix (vocabulary, hidden)
 * @param name what an adapter calls it
 * @param tied whether the matrix is the embedding
 */
public record Head(StackedMatrix matrix, String name, boolean tied, double factor, double cap) {

    /** Whether the product is the logits. */
    public boolean isPlain() {
        return factor == 1 && cap == 0;
    }
}
