package dev.pollux.tensor;

import java.util.List;

/** A tensor calculated from another tensor of the same shape. */
public interface DerivedTensor extends TensorSource {

    /** The tensor that this one is calculated from. */
    TensorSource exact();

    @Override
    default List<Long> shape() {
        return exact().shape();
    }

    @Override
    default String label() {
        return exact().label();
    }

    @Override
    default long storedBytes() {
        return exact().storedBytes();
    }
}
