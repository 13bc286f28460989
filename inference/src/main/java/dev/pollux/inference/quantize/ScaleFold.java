package dev.pollux.inference.quantize;

import java.util.List;

/**
 * The weights that absorb scales σ of an input x of products: x / σ is computed in place of x when they are divided by σ.
 *
 * @param source for each column of x, the index of its scale, (K); columns with one index have one scale
 * @param vectors the vectors to divide
 * @param rows the quantized matrices to divide by rows
 */
record ScaleFold(int[] source, List<Vector> vectors, List<Rows> rows) {

    /**
     * A vector of the graph; its element {@code first + i} is divided by scale i.
     *
     * @param name the name of the weight
     */
    record Vector(String name, int first) {}

    /** A quantized matrix; its row {@code first + i} is divided by scale i. */
    record Rows(MatrixPlan plan, int first) {}

    ScaleFold {
        vectors = List.copyOf(vectors);
        rows = List.copyOf(rows);
    }
}
