package dev.pollux.tensor;

import java.util.List;

/** A tensor of the shape of another, whose values it changes. */
public interface DerivedTensor extends TensorSource {

    /** The other. */
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
