package dev.pollux.inference.internal.layer;

import dev.pollux.tensor.StackedMatrix;

/**
 * A product with one matrix or several stacked ones; stored biases are added.
 *
 * @param matrix (rows, columns)
 * @param role the purpose of the product
 */
public record Linear(StackedMatrix matrix, Role role) {

    /** The purpose of a product, which determines how its matrix may be rounded. */
    public enum Role {
        /** No special purpose. */
        PLAIN,
        /** Its input is a gated product, whose elements are even enough for the largest blocks. */
        GATED_INPUT,
        /** Its few results are compared, so its matrix is never rounded. */
        ROUTER
    }
}
