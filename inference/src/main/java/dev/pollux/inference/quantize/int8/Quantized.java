package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Graph;
import java.util.List;

/**
 * A graph with 8-bit weights.
 *
 * @param graph with the inputs and outputs of the original
 * @param weights the quantized weights, in the order of their first readers
 */
record Quantized(Graph graph, List<IntegerWeight> weights) {

    Quantized {
        weights = List.copyOf(weights);
    }
}
