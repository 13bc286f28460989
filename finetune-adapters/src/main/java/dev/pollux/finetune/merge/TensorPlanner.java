package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.PredictionLayers;
import dev.pollux.finetune.internal.model.TiedHead;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Determines the sources, method and type of each tensor of the result. */
final class TensorPlanner {
    /*
     * For layer l of the result, at index i of its level, the sources are the tensors "prefix + (from + i) + suffix" of each
     * part. Tensors outside the layers come from the first level if they precede the layers (embeddings) and from the last
     * level otherwise (final norm, head). The position for gradients is i / (n − 1) in a level of n layers, and 1 for n = 1.
     *
     * A tensor passes these steps; a step that fails reports a problem and yields no task:
     *
     *   entries   one per part; a missing tensor is an error, unless the model lacks the whole module (copied from the others)
     *   readable  the source can be decoded
     *   joined    embedding rows in the order of the joined tokenizer
     *   shaped    equal shapes
     *   method    parameters by scope, then additional statistics
     *
     * A tied head has no tensor. It is planned separately only if its method, type, shape or sources differ from the
     * embedding's.
     */

    private final MethodKind kind;
    private final ParameterLookup parameters;
    private final Optional<TokenizerJoin> join;
    private final Optional<DType> type;
    private final Optional<DType> readAs;
    private final Problems problems;

    /**
     * @param type the type to write
     * @param readAs a 16-bit type to which inputs are rounded on reading
     */
    TensorPlanner(
            MethodKind kind,
            ParameterLookup parameters,
            Optional<TokenizerJoin> join,
            Optional<DType> type,
            Optional<DType> readAs,
            Problems problems) {
        this.kind = kind;
        this.parameters = parameters;
        this.join = join;
        this.type = type;
        this.readAs = readAs;
        this.problems = problems;
    }

    /**
     * Adds a task for each tensor of the result to {@code tasks}, keyed by name.
     *
     * @param part the module to which {@code levels} belong
     * @param predictionKept whether tensors of {@link PredictionLayers} are planned
     */
    void plan(List<Stack.Level> levels, ModulePart part, boolean predictionKept, Map<String, TensorTask> tasks) {
        String prefix = part.prefix();
        int layer = 0;
        for (Stack.Level level : levels) {
            int n = level.layers();
            for (int i = 0; i < n; i++) {
                double position = n == 1 ? 1 : (double) i / (n - 1);
                for (String suffix : suffixes(level, prefix, i)) {
                    planLayerTensor(level, prefix, i, suffix, layer, position).ifPresent(t -> tasks.put(t.name(), t));
                }
                layer++;
            }
        }
        TreeSet<String> left = new TreeSet<>();
        for (Stack.Part source : levels.stream()
                .filter(level -> !predictionKept)
                .flatMap(level -> level.parts().stream())
                .toList()) {
            left.addAll(PredictionLayers.of(source.model(), prefix));
        }
        planOutside(levels.get(0), part, true, left, tasks);
        planOutside(levels.get(levels.size() - 1), part, false, left, tasks);
        if (part.isLanguageModel()) {
            planHead(levels, part, tasks);
        }
        if (!left.isEmpty()) {
            problems.notice("the layers of multi-token prediction are left out (" + left.first() + " and "
                    + (left.size() - 1) + " more), since "
                    + (levels.size() == 1 && join.isEmpty()
                            ? "not all models have them alike"
                            : "the layers or tokens" + " that they follow change")
                    + "; generation does not need them");
        }
    }

    private static Set<String> suffixes(Stack.Level level, String prefix, int i) {
        Set<String> suffixes = new LinkedHashSet<>();
        for (Stack.Part part : level.parts()) {
            String layer = prefix + (part.layers().from() + i) + ".";
            part.model().tensors().keySet().stream()
                    .filter(name -> name.startsWith(layer))
                    .forEach(name -> suffixes.add(name.substring(layer.length())));
        }
        return suffixes;
    }

    private Optional<TensorTask> planLayerTensor(
            Stack.Level level, String prefix, int i, String suffix, int layer, double position) {
        List<String> names = level.parts().stream()
                .map(part -> prefix + (part.layers().from() + i) + "." + suffix)
                .toList();
        return plan(level, prefix + layer + "." + suffix, names, position);
    }

    private void planOutside(
            Stack.Level level, ModulePart module, boolean before, Set<String> left, Map<String, TensorTask> tasks) {
        Set<String> names = new LinkedHashSet<>();
        for (Stack.Part part : level.parts()) {
            part.model().tensors().keySet().stream()
                    .filter(module.tensors()::contains)
                    .filter(name -> !left.contains(name))
                    .filter(name -> LayerName.parse(name)
                            .filter(layer -> layer.prefix().equals(module.prefix())
                                    && layer.layer() < part.model().layers(module.prefix()))
                            .isEmpty())
                    .filter(name -> LayerName.isBeforeLayers(name) == before)
                    .forEach(names::add);
        }
        for (String name : names) {
            List<String> same = level.parts().stream().map(part -> name).toList();
            plan(level, name, same, 0).ifPresent(task -> tasks.put(name, task));
        }
    }

    /**
     * Plans the head if the models of the last layers store none. Their head is their embedding, which may differ from the
     * merged one.
     */
    private void planHead(List<Stack.Level> levels, ModulePart part, Map<String, TensorTask> tasks) {
        Stack.Level last = levels.get(levels.size() - 1);
        List<InputModel> models = levels.stream()
                .flatMap(level -> level.parts().stream())
                .map(Stack.Part::model)
                .toList();
        if (tasks.keySet().stream().anyMatch(name -> LayerName.isHead(name) && part.has(name))
                || models.stream().anyMatch(model -> model.onnx().isPresent())) {
            return;
        }
        Optional<String> stored = models.stream()
                .flatMap(model -> model.tensors().keySet().stream())
                .filter(name -> LayerName.isHead(name) && part.has(name))
                .findFirst();
        if (stored.isPresent()) {
            if (last.parts().stream().anyMatch(of -> of.model().tensors().containsKey(stored.get()))) {
                return; // its problems are already reported
            }
            planSame(last, stored.get(), this).ifPresent(task -> tasks.put(task.name(), task));
            return;
        }
        Optional<TiedHead> tied = last.parts().stream()
                .flatMap(of ->
                        TiedHead.of(of.model().config(), of.model().tensors().keySet()).stream())
                .findFirst();
        TensorTask embedding = tied.map(of -> tasks.get(of.embedding())).orElse(null);
        if (embedding == null || levels.size() == 1 && kind.hasStatistics()) {
            return; // the statistics belong to the shared matrix
        }
        String name = tied.get().head();
        TensorPlanner quiet = new TensorPlanner(kind, parameters.quiet(), join, type, readAs, new Problems());
        planSame(last, name, quiet).filter(task -> !isAlike(task, embedding)).ifPresent(task -> {
            planSame(last, name, this).ifPresent(head -> tasks.put(name, head));
            problems.notice(
                    "the head is the embedding in these models, but the plan treats them apart; the result has a"
                            + " head of its own, " + name);
        });
    }

    private static Optional<TensorTask> planSame(Stack.Level level, String name, TensorPlanner planner) {
        return planner.plan(
                level, name, level.parts().stream().map(part -> name).toList(), 0);
    }

    private static boolean isAlike(TensorTask one, TensorTask other) {
        return one.method().equals(other.method())
                && one.type() == other.type()
                && one.shape().equals(other.shape())
                && one.labels().equals(other.labels());
    }

    private Optional<TensorTask> plan(Stack.Level level, String output, List<String> names, double position) {
        List<SourceSet.Entry> entries = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            Stack.Part part = level.parts().get(i);
            Optional<SourceSet.Entry> entry = entry(part, names.get(i));
            if (entry.isPresent()) {
                entries.add(entry.get());
            } else if (ModulePart.isBeyond(part.model(), names.get(i))) {
                problems.notice(
                        "model " + part.model().label() + " has nothing like ",
                        names.get(i),
                        ", so it is taken from another model alone");
            } else if (LayerName.isHead(names.get(i))) {
                problems.fatal(
                        "model " + part.model().label() + " has no head, ",
                        names.get(i),
                        ", and its configuration says that none is tied to its embedding (tie_word_embeddings); it was"
                                + " saved without the head, so save it again with it");
                return Optional.empty();
            } else {
                problems.fatal(
                        "tensor ",
                        names.get(i),
                        " is missing in model " + part.model().label()
                                + ", and others have it; merge models of one architecture");
                return Optional.empty();
            }
        }
        boolean apart = kind.base() == MethodKind.Base.OPTIONAL || kind.base() == MethodKind.Base.REQUIRED;
        SourceSet set = new SourceSet(output, entries, kind, level.base(), join, problems);
        Optional<SourceSet> ready = set.readable().flatMap(SourceSet::joined).flatMap(SourceSet::shaped);
        if (ready.isEmpty()) {
            return Optional.empty();
        }
        return entries.size() < names.size()
                ? Optional.of(copy(ready.get()))
                : task(level, ready.get(), position, apart && level.base().isPresent());
    }

    private Optional<SourceSet.Entry> entry(Stack.Part part, String name) {
        Optional<String> own = part.model().nameOf(name);
        if (own.isEmpty()) {
            return Optional.empty();
        }
        DType stored = part.model().type(own.get());
        TensorSource source = part.model().tensors().get(own.get());
        if (source == null || stored == null) {
            throw new IllegalStateException("a tensor found by name has a source and a type: " + own.get());
        }
        boolean rounds = readAs.isPresent() && readAs.get() != stored;
        TensorSource read = rounds ? new RoundedTensor(source, readAs.get()) : source;
        return Optional.of(new SourceSet.Entry(part, name, read, stored));
    }

    /** Copies a tensor that not all models have, from the base or, without one, from the first model. */
    private TensorTask copy(SourceSet set) {
        SourceSet.Entry first = set.baseFirst().get(0);
        DType stored = first.stored() == DType.F64 ? DType.F32 : first.stored();
        return new TensorTask(
                set.output(),
                type.orElse(stored),
                first.source().shape(),
                List.of(first.source()),
                List.of(first.part().model().label()),
                new Passthrough(1));
    }

    private Optional<TensorTask> task(Stack.Level level, SourceSet set, double position, boolean base) {
        List<SourceSet.Entry> ordered = set.baseFirst();
        List<SourceSet.Entry> others = base ? ordered.subList(1, ordered.size()) : ordered;
        Optional<MergeMethod> method = others.isEmpty()
                ? Optional.of(new Passthrough(1)) // all others were left out
                : method(new ParameterLookup.Place(
                        level,
                        set.output(),
                        others.stream().map(SourceSet.Entry::name).toList(),
                        others.stream().map(SourceSet.Entry::part).toList(),
                        base,
                        position));
        method.ifPresent(of -> noticeEmptyMasks(of, set.output(), ordered));
        Optional<MergeMethod.WithStatistics> ready =
                method.flatMap(of -> of.withStatistics(new SideStatistics(set.output(), ordered, problems)));
        return ready.map(complete -> new TensorTask(
                set.output(),
                type.orElseGet(() -> set.type(base)),
                ordered.get(0).source().shape(),
                Stream.concat(ordered.stream().map(SourceSet.Entry::source), complete.sources().stream())
                        .toList(),
                ordered.stream().map(entry -> entry.part().model().label()).toList(),
                complete.method()));
    }

    /** The method with its parameters for a tensor. If one is missing or out of range, returns empty and reports a problem. */
    private Optional<MergeMethod> method(ParameterLookup.Place place) {
        return parameters.at(place).flatMap(arguments -> {
            try {
                return Optional.of(kind.with(arguments));
            } catch (IllegalArgumentException e) {
                problems.fatal("Cannot merge ", place.output(), ": " + e.getMessage());
                return Optional.empty();
            }
        });
    }

    /** Reports models of whose difference the method keeps nothing. */
    private void noticeEmptyMasks(MergeMethod method, String output, List<SourceSet.Entry> ordered) {
        List<Double> densities = method.densities();
        long elements = ordered.get(0).source().elements();
        for (int i = 0; i < densities.size(); i++) {
            double density = densities.get(i);
            if (method.keepsNothing(density, elements)) {
                problems.notice(
                        "nothing of the change of " + ordered.get(i + 1).model() + " is kept in ",
                        output,
                        ", where its density is " + density);
            }
        }
    }
}
