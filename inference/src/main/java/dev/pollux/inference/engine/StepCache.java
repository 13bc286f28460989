package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import java.util.Map;

/** The keys and values of one sequence. <em>Confined to one thread.</em> */
interface StepCache extends AutoCloseable {

    /** Makes room for {@code total} positions, keeping the first {@code used}. */
    void reserve(int total, int used, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs);

    /** Puts the tensors into place for a step of {@code count} tokens after the first {@code past}; later ones are forgotten. */
    void bind(int past, int count, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs);

    /** The step has ended. */
    void advance();

    @Override
    void close();
}
