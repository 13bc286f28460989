package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Residual;

/** A family of decoders: the parts of its graph from token ids to logits. <em>Confined to one thread.</em> */
public interface Architecture {

    /** How many layers there are. */
    int layers();

    /** The input of the first layer; (batch, tokens, hidden). */
    Residual embed();

    /** Adds the output of layer {@code layer} to the stream. */
    void layer(int layer, Residual x);

    /** The stream after the last layer, normalized. */
    Value normed(Residual x);

    /** The logits of {@link #normed}. */
    Value head(Value normed);
}
