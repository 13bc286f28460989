package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;

/**
 * One family of encoders: how the graph follows from a configuration and the names of its tensors.
 *
 * <p>A family is written against {@link Operators}; {@link Families} has a line for it. <em>Not thread-safe: one thread at a
 * time.</em>
 */
abstract class Family {

    /** Operators over the encoder's tensors. */
    final Operators blocks;

    final ConfigReader config;
    final Tokens tokens;

    Family(Operators blocks, ConfigReader config) {
        this.blocks = blocks;
        this.config = config;
        this.tokens = new Tokens(blocks);
    }

    /** Whether the graph has an input for token types. */
    boolean readsTypes() {
        return false;
    }

    /** How many layers {@link #layer} writes. */
    abstract int layers();

    /** What enters the first layer; (batch, tokens, width). */
    abstract Value embed();

    /** What leaves layer {@code layer}. */
    abstract Value layer(int layer, Value x);

    /** What follows the last layer: nothing, unless a norm. */
    Value finish(Value x) {
        return x;
    }

    /** Scores from the last hidden states; (batch, labels). */
    abstract Value logits(Value hidden);

    /** A head's last layer: its rows are the labels. */
    final Value labels(Value x, int width, String stored) {
        Operators outside = blocks.outside();
        return outside.dense(x, width, outside.tensors().rows(stored + ".weight"), stored);
    }
}
