package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.Tokens;

/**
 * One family of encoders. It builds the graph from a configuration and the checkpoint's tensor names.
 *
 * <p>A family uses {@link EncoderOperators} and is registered in {@link Families}. <em>Not thread-safe: one thread at a time.</em>
 */
abstract class Family {

    /** Operators over the encoder's tensors. */
    final EncoderOperators blocks;

    final ConfigReader config;
    final Tokens tokens;

    Family(EncoderOperators blocks, ConfigReader config) {
        this.blocks = blocks;
        this.config = config;
        this.tokens = new Tokens(blocks);
    }

    /** Whether the graph has an input for token types. */
    boolean readsTypes() {
        return false;
    }

    /** The number of layers. */
    abstract int layers();

    /** The input of the first layer; (batch, tokens, width). */
    abstract Value embed();

    /** The output of layer {@code layer}. */
    abstract Value layer(int layer, Value x);

    /** The operation after the last layer: none, or a norm. */
    Value finish(Value x) {
        return x;
    }

    /** Scores from the last hidden states; (batch, labels). */
    abstract Value logits(Value hidden);

    /** The last layer of a head, with one row per label. */
    final Value labels(Value x, int width, String stored) {
        EncoderOperators outside = blocks.outside();
        return outside.dense(x, width, outside.tensors().rows(stored + ".weight"), stored);
    }
}
