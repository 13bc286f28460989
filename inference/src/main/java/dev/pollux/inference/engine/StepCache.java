package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import java.util.Map;

/** The keys and values of one sequence. <em>Confined to one thread.</em> */
interface StepCache extends AutoCloseable {

    /** Makes room for {@code total} positions and keeps the first {@code used}. */
    void reserve(int total, int used, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs);

    /**
     * Binds the tensors for a step of {@code count} tokens after the first {@code past} positions; later positions are dropped.
     */
    void bind(int past, int count, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs);

    /** The number of first positions that layers with a sliding window no longer have. */
    default int dropped() {
        return 0;
    }

    /** Whether a step after {@code past} positions has the rows that it needs. */
    default boolean suffices(int past) {
        return true;
    }

    /** Whether {@link #reserve} before a step after {@code past} positions would drop rows. */
    default boolean drops(int past) {
        return false;
    }

    /** The number of positions that a step after {@code past} positions can read. */
    default int room(int past) {
        return Integer.MAX_VALUE;
    }

    /** Whether a step of {@code count} tokens sees the rows that it would see in any other division of the text. */
    default boolean isAligned(int past, int count) {
        return true;
    }

    /** Called after the step. */
    void advance();

    @Override
    void close();
}
