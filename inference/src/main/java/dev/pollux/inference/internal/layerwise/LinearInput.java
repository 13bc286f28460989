package dev.pollux.inference.internal.layerwise;

import java.util.ArrayList;
import java.util.List;

/**
 * The input x of one or more matrices W, as in y = W x. <em>Immutable.</em>
 *
 * @param value the name of x in the graph
 * @param matrices the names of the matrices as the architecture reads them
 * @param width the number of elements of x
 */
public record LinearInput(String value, List<String> matrices, int width) {

    public LinearInput {
        matrices = List.copyOf(matrices);
    }

    LinearInput with(LinearInput other) {
        List<String> all = new ArrayList<>(matrices);
        other.matrices.stream().filter(name -> !all.contains(name)).forEach(all::add);
        return new LinearInput(value, all, width);
    }
}
