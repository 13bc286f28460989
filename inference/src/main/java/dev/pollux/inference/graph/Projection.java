package dev.pollux.inference.graph;

import java.util.List;

/**
 * A product with one or more stored matrices stacked, or a lookup of the rows of one.
 *
 * @param input the value that is multiplied, or the ids that are looked up
 * @param output the value that comes out, before any bias
 * @param weights the matrices' names in the checkpoint, top first
 * @param rows the rows of each of them
 * @param columns their columns
 * @param lookup whether rows are looked up by id
 */
public record Projection(
        String input, String output, List<String> weights, List<Integer> rows, int columns, boolean lookup) {
    public Projection {
        weights = List.copyOf(weights);
        rows = List.copyOf(rows);
    }
}
