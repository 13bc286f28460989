package dev.pollux.inference.graph;

import java.util.List;
import java.util.Optional;

/**
 * A tensor that is carried from step to step: an input and an output of the graph. <em>Immutable.</em>
 *
 * @param input its name as an input, such as {@code past_key_values.0.key}
 * @param output its name as an output, such as {@code present.0.key}
 * @param kind how it grows
 * @param shape its shape. The first size is −1 if sequences can share a step, 1 if a step reads one. A {@link
 *     Kind#KEY_VALUE} state is [sequences, heads, capacity, width] with −1 for the capacity, which is that of {@link
 *     SlidingRows} for a {@link Kind#WINDOW} state; the other sizes of a {@link Kind#RECURRENT} state are fixed
 * @param type the type of its elements
 */
public record StateTensor(String input, String output, Kind kind, List<Integer> shape, ElementType type) {
    public StateTensor {
        shape = List.copyOf(shape);
    }

    /** A state of 32-bit floats. */
    public StateTensor(String input, String output, Kind kind, List<Integer> shape) {
        this(input, output, kind, shape, ElementType.FLOAT);
    }

    /** How a state grows. */
    public enum Kind {
        /** One row per position. In an exported graph one buffer for input and output. */
        KEY_VALUE,
        /** The same for the last positions only, which the sliding window of a layer reaches. */
        WINDOW,
        /** Replaced as a whole by every step, float32; initially zeros. */
        RECURRENT
    }

    /** Whether it has keys or values. */
    public boolean isCache() {
        return kind != Kind.RECURRENT;
    }

    /** The positions that it keeps; empty if it keeps all, or none. */
    public Optional<SlidingRows> window() {
        return kind == Kind.WINDOW ? Optional.of(new SlidingRows(shape.get(2))) : Optional.empty();
    }

    /** Whether it can hold several sequences. */
    public boolean isBatched() {
        return shape.get(0) < 0;
    }

    /**
     * The shape for {@code sequences} sequences with room for {@code rows} positions each; only keys and values have rows, and
     * those of a window no more than it keeps.
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
        } else if (kind == Kind.WINDOW) {
            sized[2] = Math.min(sized[2], rows);
        }
        return sized;
    }
}
