package dev.pollux.inference.internal.layer;

import dev.pollux.tensor.StackedMatrix;

/**
 * The output product: l = {@code factor} · W x, then cap · tanh(l / cap) if {@code cap > 0}.
 *
 * @param matrix (vocabulary, hidden)
 * @param name its name for adapters
 * @param tied whether the matrix is the embedding
 */
public record Head(StackedMatrix matrix, String name, boolean tied, double factor, double cap) {

    /** Whether the product has neither factor nor cap. */
    public boolean isPlain() {
        return factor == 1 && cap == 0;
    }
}
