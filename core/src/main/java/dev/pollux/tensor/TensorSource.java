package dev.pollux.tensor;

import java.util.List;

/** A tensor that can be read in pieces. It is stored, or calculated from stored tensors. <em>Thread-safe.</em> */
public interface TensorSource {

    /** Sizes of the dimensions, the outermost first. */
    List<Long> shape();

    /** {@code model:tensor}, for reports. */
    String label();

    /**
     * Elements as floats.
     *
     * @param first index of the first in row-major order
     * @param into (≥ at + count)
     */
    void read(long first, int count, float[] into, int at);

    /** Number of bytes stored in files. */
    long storedBytes();

    /** The source with its working memory for many reads; released when its tensor is merged. */
    default TensorSource ready() {
        return this;
    }

    /** Whether reading again is as cheap as caching the elements. */
    default boolean isCheap() {
        return false;
    }

    /** Number of elements. */
    default long elements() {
        return shape().stream().reduce(1L, (a, b) -> a * b);
    }
}
