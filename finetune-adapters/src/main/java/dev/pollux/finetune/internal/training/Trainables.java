package dev.pollux.finetune.internal.training;

import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;

/**
 * What training changes in a model: low-rank changes of matrices, biases, and whole matrices. The name of a tensor is that of the
 * checkpoint. <em>Confined to one thread.</em>
 */
public final class Trainables {

    /** A head of one score, (1, hidden), as transformers names it in decoders; a model with it gives scores in place of logits. */
    public static final String SCORE = "score.weight";

    /** No changes: the base model. */
    public static final Trainables NONE = new Trainables(List.of(), List.of(), 0);

    private final Map<String, LoraModule> modules = new LinkedHashMap<>();
    private final Map<String, Parameter> tensors = new LinkedHashMap<>();
    private final double dropout;

    /**
     * Changes.
     *
     * @param modules the low-rank changes
     * @param tensors biases and whole matrices, each named by its tensor
     * @param dropout the probability with which an input of first factors is 0 in training
     */
    public Trainables(Collection<LoraModule> modules, Collection<Parameter> tensors, double dropout) {
        this.dropout = dropout;
        modules.forEach(module -> this.modules.put(module.tensor(), module));
        tensors.forEach(tensor -> this.tensors.put(tensor.tensor(), tensor));
    }

    /** The low-rank changes, in order. */
    public Collection<LoraModule> modules() {
        return List.copyOf(modules.values());
    }

    /** The biases and whole matrices, in order. */
    public Collection<Parameter> tensors() {
        return List.copyOf(tensors.values());
    }

    /** All parameters. */
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>();
        modules.values().forEach(module -> all.addAll(module.parameters()));
        all.addAll(tensors.values());
        return all;
    }

    /** The same values as they are now. */
    public Trainables copy() {
        return new Trainables(
                modules.values().stream().map(LoraModule::copy).toList(),
                tensors.values().stream().map(Parameter::copy).toList(),
                dropout);
    }

    /** The probability with which an input of first factors is 0 in training. */
    public double dropout() {
        return dropout;
    }

    /** The changes of a stacked matrix; empty if no part has one. */
    Optional<StackedAdapter> of(StackedMatrix matrix) {
        List<Optional<LoraModule>> parts = matrix.names().stream()
                .map(name -> Optional.ofNullable(modules.get(name)))
                .toList();
        return parts.stream().allMatch(Optional::isEmpty)
                ? Optional.empty()
                : Optional.of(new StackedAdapter(matrix, parts));
    }

    /** A trained matrix of the model; empty unless it is one. */
    Optional<TrainedInput> whole(String tensor) {
        return Optional.ofNullable(tensors.get(tensor))
                .map(whole -> new TrainedInput(
                        tensor,
                        whole.shape(),
                        (input, into) -> System.arraycopy(whole.values(), 0, into, 0, whole.values().length),
                        (input, gradient) -> {
                            float[] own = whole.gradient();
                            for (int i = 0; i < own.length; i++) {
                                own[i] += gradient[i];
                            }
                        }));
    }

    /**
     * The biases of a stacked matrix as one input; empty if none is trained.
     *
     * @param biases the names of the biases of the parts
     * @param stored reads the biases of all parts, stacked, zeros where a part has none
     */
    Optional<TrainedInput> bias(String name, List<String> biases, List<Integer> rows, Supplier<float[]> stored) {
        if (biases.stream().noneMatch(tensors::containsKey)) {
            return Optional.empty();
        }
        int sum = rows.stream().mapToInt(Integer::intValue).sum();
        return Optional.of(new TrainedInput(
                name,
                List.of((long) sum),
                (input, into) -> {
                    System.arraycopy(stored.get(), 0, into, 0, sum);
                    forEach(
                            biases,
                            rows,
                            (parameter, at) ->
                                    System.arraycopy(parameter.values(), 0, into, at, parameter.values().length));
                },
                (input, gradient) -> forEach(biases, rows, (parameter, at) -> {
                    float[] own = parameter.gradient();
                    for (int i = 0; i < own.length; i++) {
                        own[i] += gradient[at + i];
                    }
                })));
    }

    private void forEach(List<String> biases, List<Integer> rows, ObjIntConsumer<Parameter> action) {
        int at = 0;
        for (int i = 0; i < biases.size(); i++) {
            if (tensors.containsKey(biases.get(i))) {
                action.accept(Objects.requireNonNull(tensors.get(biases.get(i))), at);
            }
            at += rows.get(i);
        }
    }
}
