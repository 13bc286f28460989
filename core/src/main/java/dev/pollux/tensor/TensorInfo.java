package dev.pollux.tensor;

import dev.pollux.UnsupportedModelException;
import java.util.List;

/**
 * Name, type, shape and position of a tensor in a file. <em>Immutable.</em>
 *
 * @param name its name in the file
 * @param type storage type of its elements
 * @param shape dimensions, slowest first (row-major), for GGUF too; empty for a scalar
 * @param offset first byte in the file
 * @param byteLength its size in the file
 */
public record TensorInfo(String name, DType type, List<Long> shape, long offset, long byteLength) {

    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** The number of elements. */
    public long elements() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /**
     * Dimension {@code axis} as an int.
     *
     * @throws UnsupportedModelException if it is larger than an array can be
     */
    public int dim(int axis) {
        long size = shape.get(axis);
        if (size > Integer.MAX_VALUE) {
            throw new UnsupportedModelException("Dimension " + axis + " of " + name + " must be at most "
                    + Integer.MAX_VALUE + " but is " + size + "; use a smaller model");
        }
        return (int) size;
    }
}
