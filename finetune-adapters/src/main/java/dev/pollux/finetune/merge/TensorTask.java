package dev.pollux.finetune.merge;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One tensor to write.
 *
 * @param sources tensors of one shape: the base if the method has one, one for each model, then additional statistics
 * @param models the names of the models, which select the random numbers
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

    /** The types of all tasks by name, in their order. */
    static Map<String, DType> types(List<TensorTask> tasks) {
        Map<String, DType> types = new LinkedHashMap<>();
        tasks.forEach(task -> types.put(task.name(), task.type()));
        return types;
    }

    long elements() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /** Whether each source is read once, so caching is useless. */
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
