package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.tensor.TensorInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A resolved plan: the models are open, and the sources, method and type of each tensor are determined.
 *
 * @param opened the models that {@link #close} closes
 * @param donor the model that provides configuration and tokenizer; empty only with a fatal problem
 * @param tasks the tasks, sorted by name
 * @param levels the levels of all modules
 * @param stack the levels of the module whose layers the configuration counts
 * @param predictionKept whether the layers of multi-token prediction go into the result
 */
record MergeLayout(
        MergePlan plan,
        Problems problems,
        List<InputModel> opened,
        Optional<InputModel> donor,
        List<TensorTask> tasks,
        List<Stack.Level> levels,
        List<Stack.Level> stack,
        Optional<TokenizerJoin> join,
        boolean predictionKept)
        implements AutoCloseable {

    long bytesToWrite() {
        return tasks.stream().mapToLong(TensorTask::bytes).sum();
    }

    /** Stored bytes of all sources; each source counts once. */
    long bytesToRead() {
        Map<String, Long> bytes = new LinkedHashMap<>();
        tasks.forEach(task -> task.sources().forEach(source -> bytes.put(source.label(), source.storedBytes())));
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The models that contribute layers, in the order of the plan. */
    List<InputModel> models() {
        Map<String, InputModel> models = new LinkedHashMap<>();
        levels.forEach(level ->
                level.parts().forEach(part -> models.putIfAbsent(part.model().label(), part.model())));
        return List.copyOf(models.values());
    }

    MergePreview preview(MergeOptions options) {
        Shards shards = Shards.of(tasks, options.shardBytes());
        List<MergePreview.PlannedTensor> planned = tasks.stream()
                .map(task -> new MergePreview.PlannedTensor(
                        task.name(),
                        task.type(),
                        task.shape(),
                        shards.fileOf(task.name()),
                        task.method().toString(),
                        task.labels(),
                        task.method().cost()))
                .toList();
        long memory = WindowBudget.of(tasks, options).bytes();
        return new MergePreview(problems.list(), planned, bytesToRead(), bytesToWrite(), memory);
    }

    /** The result as the input of a later stage; its tensors cannot be read. */
    InputModel planned(String name, ObjectNode config) {
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        tasks.forEach(task ->
                tensors.put(task.name(), new TensorInfo(task.name(), task.type(), task.shape(), 0, task.bytes())));
        return InputModel.planned(name, join.map(TokenizerJoin::owner).or(() -> donor), config, tensors);
    }

    @Override
    public void close() {
        opened.forEach(InputModel::close);
    }
}
