package dev.pollux.merge;

import dev.pollux.tensor.DType;
import java.util.List;

/**
 * One tensor to write.
 *
 * @param sources of one shape, the base first where the method has one; after one for each model what else the method reads
 * @param models the names of the models, for random numbers
 */
record TensorTask(
        String name,
        DType type,
        List<Long> shape,
        List<TensorSource> sources,
        List<String> models,
        MergeMethod method) {

    TensorTask {
        shape = List.copyOf(shape);
        sources = List.copyOf(sources);
        models = List.copyOf(models);
    }

    long elements() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /** Whether nothing is gained by keeping what was read. */
    boolean readsOnce() {
        return method.readsOnce() || sources.stream().allMatch(TensorSource::isCheap);
    }

    long bytes() {
        return elements() * type.blockBytes();
    }

    List<String> labels() {
        return sources.stream().map(TensorSource::label).toList();
    }
}
