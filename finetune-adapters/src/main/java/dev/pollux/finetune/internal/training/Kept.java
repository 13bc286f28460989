package dev.pollux.finetune.internal.training;

/**
 * What of the forward pass is kept for the backward pass, which computes the rest again from the streams between layers.
 * <em>Immutable.</em>
 *
 * @param attention whether inputs and results of attention are kept
 * @param products bytes for results of products with weights, at least 0; a layer is kept as a whole or not at all
 */
public record Kept(boolean attention, long products) {

    /** Nothing but the streams. */
    public static final Kept NOTHING = new Kept(false, 0);

    /** Inputs and results of attention. */
    public static final Kept ATTENTION = new Kept(true, 0);

    /** Attention, and products within {@code bytes}; nothing if that is 0. */
    public static Kept within(long bytes) {
        return new Kept(bytes > 0, bytes);
    }
}
