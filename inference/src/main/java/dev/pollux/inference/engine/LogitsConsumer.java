package dev.pollux.inference.engine;

import java.nio.FloatBuffer;

/** Receives the logits of one position. */
@FunctionalInterface
public interface LogitsConsumer {

    /**
     * Called once for each position, in order.
     *
     * @param position index in the sequence, from 0
     * @param logits (vocabulary), valid only during the call
     */
    void accept(int position, FloatBuffer logits);
}
