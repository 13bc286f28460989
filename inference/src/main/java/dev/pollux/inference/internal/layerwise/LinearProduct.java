package dev.pollux.inference.internal.layerwise;

import java.util.List;

/**
 * A product y = W x. <em>Immutable.</em>
 *
 * @param input the name of x in the graph, as in {@link LinearInput#value}
 * @param matrices the names of the stacked matrices of W as the architecture reads them
 * @param factor the name of Wᵀ in the graph
 * @param rows the number of rows of W
 * @param columns the number of elements of x
 */
public record LinearProduct(String input, List<String> matrices, String factor, int rows, int columns) {

    public LinearProduct {
        matrices = List.copyOf(matrices);
    }
}
