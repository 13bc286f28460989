package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.Node;

/**
 * How a node reads a weight of two dimensions.
 *
 * @param node the node that is replaced
 * @param before a node between the weight and {@code node} that is removed: the {@code Transpose} of a weight, or the {@code
 *     Gather} whose result is turned; else {@code node} itself
 * @param kind the kind of the use
 */
record MatrixUse(Node node, Node before, Kind kind) {

    enum Kind {
        /** x · W, W (K, N). */
        PRODUCT(true, false),
        /** x · Wᵀ, W (N, K) through a {@code Transpose}. */
        TURNED_PRODUCT(false, false),
        /** Gemm with W (K, N). */
        GEMM(true, false),
        /** Gemm with W (N, K). */
        TURNED_GEMM(false, false),
        /** Rows of W (N, K) by id. */
        LOOKUP(false, true),
        /** Columns of W (K, N) by id, turned to rows. */
        TURNED_LOOKUP(true, true);

        private final boolean columns;
        private final boolean lookup;

        Kind(boolean columns, boolean lookup) {
            this.columns = columns;
            this.lookup = lookup;
        }

        /** Whether the weight is (K, N): what is quantized together is in its columns. */
        boolean columns() {
            return columns;
        }

        /** Whether rows are looked up. */
        boolean lookup() {
            return lookup;
        }
    }

    MatrixUse(Node node, Kind kind) {
        this(node, node, kind);
    }
}
