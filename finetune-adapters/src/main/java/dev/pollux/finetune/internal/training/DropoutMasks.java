package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * The inputs of dropout of a layer: 0 or 1 / (1 − p), which depend on the seed and their names alone. <em>Confined to one
 * thread.</em>
 */
final class DropoutMasks implements AutoCloseable {

    private final Map<String, FloatTensor> masks = new HashMap<>(); // each (tokens, columns)

    private DropoutMasks() {}

    /**
     * Draws the masks again. The caller closes them.
     *
     * @param columns of each input, by its name
     * @param dropout p
     */
    static DropoutMasks of(Map<String, Integer> columns, Activations activations, double dropout, Memory memory) {
        return of(columns, activations.batch().ids().length, activations.dropout(), dropout, memory);
    }

    /** The same for a number of tokens; {@code chosen} is the seed, empty for no dropout. */
    static DropoutMasks of(
            Map<String, Integer> columns, int tokens, OptionalLong chosen, double dropout, Memory memory) {
        DropoutMasks drawn = new DropoutMasks();
        columns.forEach((name, width) -> {
            float[] values = new float[tokens * width];
            Arrays.fill(values, 1);
            chosen.ifPresent(seed -> {
                SplittableRandom random = new SplittableRandom(seed ^ name.hashCode() * 0x9E3779B97F4A7C15L);
                for (int i = 0; i < values.length; i++) {
                    values[i] = random.nextDouble() < dropout ? 0 : (float) (1 / (1 - dropout));
                }
            });
            drawn.masks.put(name, memory.take(tokens, width).set(values));
        });
        return drawn;
    }

    /** Adds the masks to what is given to a program. */
    Map<String, OnnxTensor> with(Map<String, OnnxTensor> given) {
        given.putAll(TrainableModel.tensors(masks));
        return given;
    }

    @Override
    public void close() {
        masks.values().forEach(FloatTensor::close);
    }
}
