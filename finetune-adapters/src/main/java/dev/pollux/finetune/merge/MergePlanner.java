package dev.pollux.finetune.merge;

import dev.pollux.PolluxException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.PredictionLayers;
import dev.pollux.finetune.internal.model.TiedHead;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePlan.LayerRange;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TypeNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Resolves a plan into a layout. Opens the plan's models and reads only headers and configuration files. <em>For one plan.</em>
 */
final class MergePlanner {
    /*
     * Resolves a plan in this order; each step runs only as far as the problems of the earlier ones allow, and all problems
     * are collected instead of stopping at the first:
     *
     *   1. open      each model once, by reference; stages are shared and not closed here
     *   2. rename    tensors to the donor's names (ClassPrefix), ONNX graphs reconciled (OnnxGraphs)
     *   3. parts     the modules of the plan, or the whole model as one part
     *   4. levels    per part: slices → (models, layer ranges), number of sources checked (Stack)
     *   5. join      one tokenizer for all models, if the plan asks for it (TokenizerJoin)
     *   6. tasks     per tensor: sources, shape, type, method with its parameters (TensorPlanner)
     *   7. config    a trial conversion, which reports per-layer settings that cannot follow (StackedConfig)
     *   8. notices   inputs that fit but compute differently (ConfigDifferences)
     *
     * Invariants: no weight is read; tasks are sorted by name, so files and random numbers do not depend on the order of the
     * plan; only the language model may change its number of layers; if planning throws, every opened model is closed. Slices
     * follow mergekit (Goddard et al., arXiv 2403.13257).
     */

    private final MergePlan plan;
    private final Path folder;
    private final MergeOptions options;
    private final Map<String, InputModel> stages;
    private final Problems problems = new Problems();
    private final Map<String, Optional<InputModel>> models = new LinkedHashMap<>();
    private final Map<String, TensorTask> tasks = new TreeMap<>();

    /**
     * @param folder the folder to which model names are relative
     * @param stages results of earlier stages, by name; not closed with the layout
     */
    MergePlanner(MergePlan plan, Path folder, MergeOptions options, Map<String, InputModel> stages) {
        this.plan = plan;
        this.folder = folder;
        this.options = options;
        this.stages = stages;
    }

    /** Returns the layout. It can be executed if it has no fatal problem. */
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
            Map<ModulePart, List<Stack.Level>> levels = new LinkedHashMap<>();
            Optional<TokenizerJoin> join = kind.flatMap(known -> plan(known, type, levels));
            List<Stack.Level> all =
                    levels.values().stream().flatMap(List::stream).toList();
            Optional<ModulePart> main = main(levels.keySet());
            List<Stack.Level> stack = main.map(levels::get).orElse(List.of());
            boolean prediction = main.filter(part -> keepsPrediction(part, stack, join.isPresent()))
                    .isPresent();
            donor().filter(donor -> !problems.anyFatal())
                    .ifPresent(donor -> StackedConfig.follow(donor.config().deepCopy(), stack, prediction, problems));
            donor().flatMap(InputModel::adapterTexts)
                    .ifPresent(texts -> problems.notice("the tokenizer and the chat template are those of the adapter "
                            + texts.adapter() + ", as far as it has them; the rest is its model's"));
            noteInputs(kind, stack);
            return new MergeLayout(
                    plan, problems, open(), donor(), List.copyOf(tasks.values()), all, stack, join, prediction);
        } catch (RuntimeException | Error e) {
            open().forEach(InputModel::close);
            throw e;
        }
    }

    /** Reports doubtful inputs that fit nevertheless. */
    private void noteInputs(Optional<MethodKind> kind, List<Stack.Level> stack) {
        Optional<InputModel> donor = donor().filter(model -> model.onnx().isEmpty());
        if (problems.anyFatal() || donor.isEmpty() || kind.isEmpty()) {
            return;
        }
        List<InputModel> others = models.values().stream()
                .flatMap(Optional::stream)
                .filter(model -> model != donor.get())
                .toList();
        ConfigDifferences differences = new ConfigDifferences(donor.get(), others, stack.size() > 1, problems);
        differences.note(tasks.keySet().stream().anyMatch(LayerName::isHead));
        if (plan.dtype().isEmpty() && plan.outDtype().isEmpty()) {
            MethodKind.Base base = kind.get().base();
            boolean apart = base == MethodKind.Base.OPTIONAL || base == MethodKind.Base.REQUIRED;
            differences.noteTypes(apart && plan.base().isPresent());
        }
        if (plan.tokenizer().isEmpty()) {
            differences.noteTokenizers();
        }
        CarriedFiles.of(donor.get(), problems);
    }

    /** Adds the levels of each part to {@code levels}, and the tasks of its tensors to {@code tasks}. */
    private Optional<TokenizerJoin> plan(
            MethodKind kind, Optional<DType> type, Map<ModulePart, List<Stack.Level>> levels) {
        boolean complete = models.values().stream().allMatch(Optional::isPresent)
                && plan.findings().stream().noneMatch(MergeProblem::isFatal);
        int before = problems.fatals();
        Map<ModulePart, ParameterLookup> parameters = new LinkedHashMap<>();
        for (ModulePart part : complete || plan.modules().isEmpty() ? parts() : List.<ModulePart>of()) {
            levels.put(part, new Stack(part.plan(), kind, this::model, part.prefix(), problems).levels());
            ParameterLookup lookup = new ParameterLookup(part.plan(), kind, options.likeReference(), problems);
            lookup.checkNames();
            if (complete) {
                lookup.checkFilters(withTiedHeads(part.tensors()));
            }
            parameters.put(part, lookup);
        }
        main(levels.keySet())
                .ifPresent(main -> levels.forEach((part, of) -> {
                    if (!part.equals(main)) {
                        checkDepth(part, of);
                    }
                }));
        complete &= problems.fatals() == before && levels.values().stream().noneMatch(List::isEmpty);
        Optional<TokenizerJoin> join =
                join(levels.values().stream().flatMap(List::stream).toList());
        if (complete && join.isPresent() == plan.tokenizer().isPresent()) {
            Optional<DType> readAs =
                    type("dtype", plan.dtype()).filter(narrow -> options.likeReference() && narrow != DType.F32);
            for (Map.Entry<ModulePart, ParameterLookup> part : parameters.entrySet()) {
                new TensorPlanner(kind, part.getValue(), join, type, readAs, problems)
                        .plan(
                                levels.getOrDefault(part.getKey(), List.of()),
                                part.getKey(),
                                keepsPrediction(
                                        part.getKey(), levels.getOrDefault(part.getKey(), List.of()), join.isPresent()),
                                tasks);
            }
        }
        return join;
    }

    private Set<String> withTiedHeads(Set<String> tensors) {
        Set<String> names = new LinkedHashSet<>(tensors);
        models.values().stream()
                .flatMap(Optional::stream)
                .flatMap(model -> TiedHead.of(model.config(), model.tensors().keySet()).stream())
                .filter(tied -> tensors.contains(tied.embedding()))
                .forEach(tied -> names.add(tied.head()));
        return names;
    }

    /**
     * Whether there are {@link PredictionLayers} and the result keeps them: all models have the same ones, and no layer moves. Two
     * models with one such layer each and whole-model slices: kept. A stack of two slices: not kept.
     */
    private static boolean keepsPrediction(ModulePart part, List<Stack.Level> levels, boolean joined) {
        if (levels.size() != 1 || joined) {
            return false;
        }
        String prefix = part.prefix();
        List<Stack.Part> parts = levels.get(0).parts();
        boolean whole = parts.stream()
                .allMatch(source ->
                        source.layers().equals(new LayerRange(0, source.model().layers(prefix))));
        List<Set<String>> own = parts.stream()
                .map(source -> PredictionLayers.of(source.model(), prefix))
                .distinct()
                .toList();
        return whole && own.size() == 1 && !own.get(0).isEmpty();
    }

    /** The module whose layers the configuration counts. */
    private static Optional<ModulePart> main(Set<ModulePart> parts) {
        return parts.stream()
                .filter(ModulePart::isLanguageModel)
                .findFirst()
                .or(() -> parts.stream().findFirst());
    }

    private void checkDepth(ModulePart part, List<Stack.Level> levels) {
        int layers = levels.stream()
                .filter(level -> !level.parts().isEmpty())
                .mapToInt(Stack.Level::layers)
                .sum();
        donor().map(model -> model.layers(part.prefix()))
                .filter(due -> due != layers)
                .ifPresent(due -> problems.fatal("module " + part.name() + " must keep its " + due + " layers but gets "
                        + layers + "; only the language model's layers can be stacked anew"));
    }

    private void openModels() {
        plan.models().forEach(this::model);
        donor().ifPresent(donor ->
                models.replaceAll((name, model) -> model.map(other -> other == donor ? other : other.calledAs(donor))));
        OnnxGraphs.reconcile(
                plan, models.values().stream().flatMap(Optional::stream).toList(), problems);
    }

    /** The models opened for this layout. */
    private List<InputModel> open() {
        return models.values().stream()
                .flatMap(Optional::stream)
                .filter(model -> !stages.containsKey(model.label()))
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

    private List<ModulePart> parts() {
        Set<String> names = new LinkedHashSet<>();
        models.values().stream()
                .flatMap(Optional::stream)
                .forEach(model -> names.addAll(model.tensors().keySet()));
        return ModulePart.of(plan, names, problems);
    }

    /** The base or, without one, the first model. It provides the configuration and the tokenizer of the result. */
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
