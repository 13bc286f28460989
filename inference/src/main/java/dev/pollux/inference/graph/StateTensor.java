package dev.pollux.inference.graph;

import java.util.List;

/**
 * A tensor that is carried from step to step: an input and an output of the graph. <em>Immutable.</em>
 *
 * @param input its name as an input, such as {@code past_key_values.0.key}
 * @param output its name as an output, such as {@code present.0.key}
 * @param kind how it grows
 * @param shape its shape. The first size is −1 if sequences can share a step, 1 if a step reads one. A {@link
 *     Kind#KEY_VALUE} state is [sequences, heads, capacity, width] with −1 for the capacity; the other sizes of a {@link
 *     Kind#RECURRENT} state are fixed
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

    /** Whether it can hold several sequences. */
    public boolean isBatched() {
        return shape.get(0) < 0;
    }

    /**
     * The shape for {@code sequences} sequences with room for {@code rows} positions each; only keys and values have rows.
     *
     * @throws IllegalArgumentException if it holds one sequence and {@code sequences} is above 1
     */
    public long[] shape(int sequences, int rows) {
        if (sequences > 1 && !isBatched()) {
            throw new IllegalArgumentException(
                    "sequences must be 1 for " + input + ", which holds one sequence, but was " + sequences);
        }
        long[] sized = shape.stream().mapToLong(Integer::longValue).toArray();
        sized[0] = sequences;
        if (kind == Kind.KEY_VALUE) {
            sized[2] = rows;
        }
        return sized;
    }
}
