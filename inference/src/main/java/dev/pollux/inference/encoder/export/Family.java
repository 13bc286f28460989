package dev.pollux.inference.encoder.export;

/**
 * One family of encoders: how the graph follows from a configuration and the names of its tensors.
 *
 * <p>A family is written against {@link Blocks}; {@link Families} has a line for it. <em>Not thread-safe: one thread at a
 * time.</em>
 */
abstract class Family {

    /** Blocks over the encoder's tensors. */
    final Blocks blocks;

    final ConfigReader config;
    final Tokens tokens;

    Family(Blocks blocks, ConfigReader config) {
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
    abstract String embed();

    /** What leaves layer {@code layer}. */
    abstract String layer(int layer, String x);

    /** What follows the last layer: nothing, unless a norm. */
    String finish(String x) {
        return x;
    }

    /** Scores from the last hidden states; (batch, labels). */
    abstract String logits(String hidden);

    /** A head's last layer: its rows are the labels. */
    final String labels(String x, int width, String stored) {
        Blocks outside = blocks.outside();
        return outside.dense(x, width, outside.tensors().rows(stored + ".weight"), stored);
    }
}
