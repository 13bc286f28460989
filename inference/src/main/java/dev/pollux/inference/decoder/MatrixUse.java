package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.Weight;
import java.util.List;

/**
 * A product of a decoder's graph with stored matrices, or a lookup in one. <em>Immutable.</em>
 *
 * @param takesAdapter whether an adapter can be added to it
 * @param kind the kind of use
 * @param share the share of tokens that use it; for an expert, the average share routed to it
 * @param weights the weights read: floats, or codes and scales
 */
record MatrixUse(Projection projection, boolean takesAdapter, Kind kind, double share, List<Weight> weights) {

    enum Kind {
        LOOKUP,
        PRODUCT,
        /** The product that computes logits, only for the last token of a prompt. */
        HEAD
    }

    /** The average bytes read per token. */
    double bytesPerToken() {
        long bytes = weights.stream().mapToLong(Weight::bytes).sum();
        return kind == Kind.LOOKUP ? 0 : share * bytes; // a lookup reads a row
    }

    /** The average number of weights multiplied with each token of a prompt. */
    double weightsPerToken() {
        int rows = projection.rows().stream().mapToInt(Integer::intValue).sum();
        return kind == Kind.PRODUCT ? share * rows * projection.columns() : 0;
    }
}
