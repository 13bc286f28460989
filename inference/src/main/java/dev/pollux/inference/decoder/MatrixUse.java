package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.Weight;
import java.util.List;

/**
 * A product of a decoder's graph with stored matrices, or a lookup in one. <em>Immutable.</em>
 *
 * @param takesAdapter whether an adapter can be added to it
 * @param kind what it is
 * @param share the share of tokens that are multiplied with it; of experts, that which has the expert on average
 * @param weights what it reads: floats, or codes and scales
 */
record MatrixUse(Projection projection, boolean takesAdapter, Kind kind, double share, List<Weight> weights) {

    enum Kind {
        LOOKUP,
        PRODUCT,
        /** The product that gives logits: of a prompt, only the last token is multiplied. */
        HEAD
    }

    /** Bytes that a token reads, on average. */
    double bytesPerToken() {
        long bytes = weights.stream().mapToLong(Weight::bytes).sum();
        return kind == Kind.LOOKUP ? 0 : share * bytes; // a lookup reads a row
    }

    /** Weights that each token of a prompt is multiplied with, on average. */
    double weightsPerToken() {
        int rows = projection.rows().stream().mapToInt(Integer::intValue).sum();
        return kind == Kind.PRODUCT ? share * rows * projection.columns() : 0;
    }
}
