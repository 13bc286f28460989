package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Residual;

/** A family of decoders, part by part, from the ids of tokens to logits. <em>Confined to one thread.</em> */
public interface Architecture {

    /** How many layers there are. */
    int layers();

    /** What enters the first layer; (batch, tokens, hidden). */
    Residual embed();

    /** Adds to the stream what layer {@code layer} adds. */
    void layer(int layer, Residual x);

    /** The stream after the last layer, normalized. */
    Value normed(Residual x);

    /** The logits, of what {@link #normed} gives. */
    Value head(Value normed);
}
