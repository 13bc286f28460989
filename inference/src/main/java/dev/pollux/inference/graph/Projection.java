package dev.pollux.inference.graph;

import java.util.List;

/**
 * A product with one matrix or several stacked ones, or a row lookup in one.
 *
 * @param input the multiplied value, or the ids to look up
 * @param output the result, before any bias
 * @param weights the matrices' names in the checkpoint, top first
 * @param rows the rows of each matrix
 * @param columns the columns of every matrix
 * @param lookup whether rows are looked up by id
 */
public record Projection(
        String input, String output, List<String> weights, List<Integer> rows, int columns, boolean lookup) {
    public Projection {
        weights = List.copyOf(weights);
        rows = List.copyOf(rows);
    }
}
