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

    /** Called after the step. */
    void advance();

    @Override
    void close();
}
