package dev.pollux.merge;

import dev.pollux.PolluxException;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Makes a layout of a plan, from headers and configuration files; opens the plan's models. <em>For one plan.</em> */
final class MergePlanner {

    private final MergePlan plan;
    private final Path folder;
    private final MergeOptions options;
    private final Map<String, InputModel> stages;
    private final Problems problems = new Problems();
    private final Map<String, Optional<InputModel>> models = new LinkedHashMap<>();
    private final Map<String, TensorTask> tasks = new TreeMap<>();

    /**
     * @param folder what model names are relative to
     * @param stages models that earlier plans make, by name; not closed with the layout
     */
    MergePlanner(MergePlan plan, Path folder, MergeOptions options, Map<String, InputModel> stages) {
        this.plan = plan;
        this.folder = folder;
        this.options = options;
        this.stages = stages;
    }

    /** The layout; its problems say whether it can be carried out. */
    MergeLayout layout() {
        try {
            plan.findings().forEach(problems::add);
            openModels();
            Optional<MethodKind> kind = MethodKind.named(plan.method());
            if (kind.isEmpty() && !plan.method().isEmpty()) {
                problems.fatal("merge_method " + plan.method() + " is unknown"
                        + Spelling.hint(plan.method(), MethodKind.names()) + "; known are "
                        + String.join(", ", MethodKind.names()));
            }
            Optional<DType> type = outputType();
            ChatTemplates.check(plan.chatTemplate(), problems);
            Optional<TokenizerJoin> join = Optional.empty();
            List<Stack.Level> levels = List.of();
            if (kind.isPresent()) {
                String prefix = prefix();
                boolean complete = models.values().stream().allMatch(Optional::isPresent)
                        && plan.findings().stream().noneMatch(MergeProblem::isFatal);
                int before = problems.fatals();
                levels = new Stack(plan, kind.get(), this::model, prefix, problems).levels();
                ParameterLookup parameters = new ParameterLookup(plan, kind.get(), options.likeReference(), problems);
                parameters.checkNames();
                complete &= problems.fatals() == before && !levels.isEmpty();
                join = join(levels);
                if (complete && join.isPresent() == plan.tokenizer().isPresent()) {
                    Optional<DType> readAs = type("dtype", plan.dtype())
                            .filter(narrow -> options.likeReference() && narrow != DType.F32);
                    new TensorPlanner(kind.get(), parameters, join, type, readAs, problems).plan(levels, prefix, tasks);
                }
            }
            return new MergeLayout(plan, problems, open(), donor(), List.copyOf(tasks.values()), levels, join);
        } catch (RuntimeException | Error e) {
            open().forEach(InputModel::close);
            throw e;
        }
    }

    private void openModels() {
        plan.slices().forEach(slice -> {
            slice.inputs().forEach(input -> model(input.model()));
            slice.base().ifPresent(this::model);
        });
        plan.base().ifPresent(this::model);
        OnnxGraphs.reconcile(
                plan, models.values().stream().flatMap(Optional::stream).toList(), problems);
    }

    /** The models this layout opened. */
    private List<InputModel> open() {
        return models.values().stream()
                .flatMap(Optional::stream)
                .filter(model -> !stages.containsValue(model))
                .toList();
    }

    private Optional<InputModel> model(ModelReference reference) {
        InputModel stage = stages.get(reference.toString());
        return models.computeIfAbsent(reference.toString(), name -> {
            if (stage != null) {
                return Optional.of(stage);
            }
            try {
                return Optional.of(InputModel.open(reference, folder));
            } catch (PolluxException e) {
                problems.fatal(String.valueOf(e.getMessage()));
                return Optional.empty();
            }
        });
    }

    private String prefix() {
        Set<String> names = new LinkedHashSet<>();
        models.values().stream()
                .flatMap(Optional::stream)
                .forEach(model -> names.addAll(model.tensors().keySet()));
        return LayerName.commonPrefix(names).orElse("");
    }

    /** The base or else the first model: the result's configuration and tokenizer come from it. */
    private Optional<InputModel> donor() {
        return plan.base()
                .flatMap(this::model)
                .or(() -> models.values().stream().flatMap(Optional::stream).findFirst());
    }

    private Optional<TokenizerJoin> join(List<Stack.Level> levels) {
        if (plan.tokenizer().isEmpty()) {
            return Optional.empty();
        }
        Map<String, InputModel> used = new LinkedHashMap<>();
        plan.base().flatMap(this::model).ifPresent(base -> used.put(base.label(), base));
        levels.forEach(level ->
                level.parts().forEach(part -> used.putIfAbsent(part.model().label(), part.model())));
        if (used.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(TokenizerJoin.of(
                    plan.tokenizer().get(),
                    new ArrayList<>(used.values()),
                    plan.base().isPresent(),
                    problems));
        } catch (PolluxException e) {
            problems.fatal(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<DType> outputType() {
        type("dtype", plan.dtype());
        Optional<DType> out = type("out_dtype", plan.outDtype());
        return out.isPresent() ? out : type("dtype", plan.dtype());
    }

    private Optional<DType> type(String key, Optional<String> name) {
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Optional<DType> type = TypeNames.parse(name.get());
        if (type.isEmpty()) {
            problems.fatal(key + " " + name.get() + " is not supported" + Spelling.hint(name.get(), TypeNames.NAMES)
                    + "; use one of " + String.join(", ", TypeNames.NAMES));
        }
        return type;
    }
}
