package dev.pollux.inference.internal.layer;

import dev.pollux.tensor.StackedMatrix;

/**
 * A product with one or more stored matrices, stacked; biases that are stored with them are added.
 *
 * @param matrix (rows, columns)
 * @param role what it is for
 */
public record Linear(StackedMatrix matrix, Role role) {

    /** What a product is for, which decides how its matrix may be rounded. */
    public enum Role {
        /** No more than a product. */
        PLAIN,
        /** Its input is a gated product, whose elements are even enough for the largest blocks. */
        GATED_INPUT,
        /** Its few results are compared, so that its matrix is never rounded. */
        ROUTER
    }
}
