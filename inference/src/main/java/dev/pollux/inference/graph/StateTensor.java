package dev.pollux.inference.graph;

import java.util.List;

/**
 * A tensor that is carried from step to step: an input and an output of the graph.
 *
 * @param input its name as an input, such as {@code past_key_values.0.key}
 * @param output its name as an output, such as {@code present.0.key}
 * @param kind how it grows
 * @param shape its shape; a {@link Kind#KEY_VALUE} state is [1, heads, capacity, width] with −1 for the capacity
 */
public record StateTensor(String input, String output, Kind kind, List<Integer> shape) {
    public StateTensor {
        shape = List.copyOf(shape);
    }

    /** How a state grows. */
    public enum Kind {
        /** One row per position. In an exported graph float32, with one buffer for input and output. */
        KEY_VALUE,
        /** Replaced as a whole by every step, float32; initially zeros. */
        RECURRENT
    }
}
