package dev.pollux.finetune.merge;

import dev.pollux.PolluxException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.merge.MixturePlan.Expert;
import dev.pollux.internal.math.CounterRandom;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorSource;
import dev.pollux.tensor.TypeNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Resolves the plan of a mixture from headers and collects its problems. <em>For one plan.</em> */
final class MixtureLayout implements AutoCloseable {

    private static final double CLOSE = 5;

    private final MixturePlan plan;
    private final Path folder;
    private final MergeOptions options;
    private final Problems problems = new Problems();
    private final Map<String, Optional<InputModel>> models = new LinkedHashMap<>();
    private final Optional<InputModel> base;
    private Optional<MixtureTarget> target = Optional.empty();
    private Optional<DType> type = Optional.empty();
    private String embedding = "";
    private Pattern feedForward = Pattern.compile("(?!)");
    private int layers;
    private int width;
    private int inner;

    MixtureLayout(MixturePlan plan, Path folder, MergeOptions options) {
        this.plan = plan;
        this.folder = folder;
        this.options = options;
        try {
            plan.findings().forEach(problems::add);
            this.base = model(plan.base());
            all().forEach(expert -> model(expert.model()));
            checkPlan();
            base.ifPresent(this::checkBase);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private List<Expert> all() {
        List<Expert> all = new ArrayList<>(plan.experts());
        all.addAll(plan.sharedExperts());
        return all;
    }

    private Optional<InputModel> model(ModelReference reference) {
        return models.computeIfAbsent(reference.toString(), name -> {
            try {
                return Optional.of(InputModel.open(reference, folder));
            } catch (PolluxException e) {
                problems.fatal(String.valueOf(e.getMessage()));
                return Optional.empty();
            }
        });
    }

    private void checkPlan() {
        if (plan.expertsPerToken() > plan.experts().size()) {
            problems.fatal("experts_per_token must be at most " + plan.experts().size()
                    + ", the number of experts, but is " + plan.expertsPerToken());
        }
        if (plan.dtype().isPresent()) {
            type = TypeNames.parse(plan.dtype().get());
            if (type.isEmpty()) {
                problems.fatal("dtype " + plan.dtype().get() + " is not supported"
                        + Spelling.hint(plan.dtype().get(), TypeNames.NAMES) + "; use one of "
                        + String.join(", ", TypeNames.NAMES));
            }
        }
        if (plan.gateMode().readsPrompts()) {
            for (Expert expert : plan.experts()) {
                if (expert.positivePrompts().isEmpty()) {
                    problems.fatal("expert " + expert.model() + " has no positive_prompts, which its router is made of;"
                            + " give some, or gate_mode random for a model that is trained afterwards");
                }
            }
        }
    }

    private void checkBase(InputModel model) {
        target = MixtureTarget.of(model.config());
        if (target.isEmpty()) {
            problems.fatal("base_model " + model.label() + " is a "
                    + MixtureTarget.architectureOf(model.config()) + ", of which no mixture can be made; use one of "
                    + String.join(", ", MixtureTarget.known()));
            return;
        }
        feedForward = Pattern.compile("model\\.layers\\.([0-9]{1,6})\\."
                + target.get().block() + "\\.(" + String.join("|", target.get().parts()) + ")\\.weight");
        int shared = plan.sharedExperts().size();
        if (shared != target.get().sharedExperts()) {
            problems.fatal("shared_experts must be " + target.get().sharedExperts() + " for "
                    + target.get().architecture() + " but are " + shared);
        }
        model.tensors().keySet().stream()
                .filter(LayerName::isEmbedding)
                .findFirst()
                .ifPresentOrElse(
                        name -> embedding = name,
                        () -> problems.fatal("base_model " + model.label() + " has no embedding"));
        for (Map.Entry<String, TensorSource> tensor : model.tensors().entrySet()) {
            Matcher name = feedForward.matcher(tensor.getKey());
            if (name.matches()) {
                layers = Math.max(layers, Integer.parseInt(name.group(1)) + 1);
                if (name.group(2).equals(target.get().parts().get(0))) {
                    inner = tensor.getValue().shape().get(0).intValue();
                }
                checkExperts(model, tensor.getKey(), tensor.getValue());
            } else if (tensor.getKey().contains("." + target.get().block() + ".")
                    || target.get() == MixtureTarget.MIXTRAL && tensor.getKey().endsWith("_proj.bias")) {
                problems.fatal(
                        "",
                        tensor.getKey(),
                        " does not belong to " + target.get().architecture());
            }
        }
        if (layers == 0) {
            problems.fatal("base_model " + model.label() + " has no feed-forward parts that could become experts");
        }
        TensorSource table = model.tensors().get(embedding);
        width = table == null ? 0 : table.shape().get(table.shape().size() - 1).intValue();
    }

    private void checkExperts(InputModel model, String name, TensorSource like) {
        for (Expert expert : all()) {
            Optional<InputModel> other = model(expert.model());
            if (other.isEmpty()) {
                continue;
            }
            TensorSource own = other.get().tensors().get(name);
            if (own == null || !own.shape().equals(like.shape())) {
                problems.fatal(
                        "expert " + expert.model() + " cannot be one: ",
                        name,
                        (own == null ? " is missing there" : " is " + own.shape() + " there") + " and " + like.shape()
                                + " in " + model.label());
            } else if (!StoredTensor.READABLE.contains(other.get().type(name))) {
                problems.fatal(
                        "expert " + expert.model() + ": ",
                        name,
                        " is stored as " + other.get().type(name));
            }
        }
    }

    Problems problems() {
        return problems;
    }

    MixtureTarget target() {
        return target.orElseThrow(() -> new IllegalStateException("a plan without problems has a target"));
    }

    InputModel base() {
        return base.orElseThrow(() -> new IllegalStateException("a plan without problems has a base"));
    }

    String embedding() {
        return embedding;
    }

    int layers() {
        return layers;
    }

    /** The number of rows of an expert's gate matrix. */
    int inner() {
        return inner;
    }

    /** Returns the tensors to write, with the given routers; without them, the routers are random or zero. */
    MergeLayout tasks(Optional<Routers> rows) {
        List<TensorTask> tasks = new ArrayList<>();
        if (!problems.anyFatal()) {
            for (Map.Entry<String, TensorSource> tensor : base().tensors().entrySet()) {
                if (!feedForward.matcher(tensor.getKey()).matches()) {
                    tasks.add(task(tensor.getKey(), tensor.getValue(), base().type(tensor.getKey())));
                }
            }
            for (int layer = 0; layer < layers; layer++) {
                layer(layer, rows, tasks);
            }
            tasks.sort(java.util.Comparator.comparing(TensorTask::name));
        }
        return new MergeLayout(
                MergePlan.builder("mixture of experts").build(),
                problems,
                open(),
                base,
                tasks,
                List.of(),
                List.of(),
                Optional.empty(),
                false);
    }

    /**
     * Rows of routers.
     *
     * @param experts (experts, layers, width)
     * @param shared (shared experts, layers, width); empty if they have no prompts
     */
    record Routers(List<double[][]> experts, List<double[][]> shared) {}

    private void layer(int layer, Optional<Routers> rows, List<TensorTask> tasks) {
        String at = "model.layers." + layer + "." + target().block() + ".";
        DType stored = base().type(at + target().parts().get(0) + ".weight");
        if (target().isFused()) {
            List<TensorSource> gateUp = new ArrayList<>();
            List<TensorSource> down = new ArrayList<>();
            for (int e = 0; e < plan.experts().size(); e++) {
                gateUp.add(matrix(plan.experts().get(e), at, "gate_proj", e));
                gateUp.add(matrix(plan.experts().get(e), at, "up_proj", e));
                down.add(matrix(plan.experts().get(e), at, "down_proj", e));
            }
            tasks.add(task(at + "experts.gate_up_proj", joined(gateUp, 2), stored));
            tasks.add(task(at + "experts.down_proj", joined(down, 1), stored));
        } else {
            for (String part : target().parts()) {
                for (int e = 0; e < plan.experts().size(); e++) {
                    tasks.add(task(
                            at + "experts." + e + "." + part + ".weight",
                            matrix(plan.experts().get(e), at, part, e),
                            stored));
                }
                for (Expert shared : plan.sharedExperts()) {
                    tasks.add(task(
                            at + "shared_expert." + part + ".weight",
                            matrix(shared, at, part, plan.experts().size()),
                            stored));
                }
            }
        }
        router(layer, at + "gate.weight", plan.experts().size(), rows.map(Routers::experts), stored, tasks);
        if (!plan.sharedExperts().isEmpty()) {
            router(
                    layer,
                    at + "shared_expert_gate.weight",
                    1,
                    rows.map(Routers::shared).filter(list -> !list.isEmpty()).or(() -> Optional.of(List.of())),
                    stored,
                    tasks);
        }
    }

    private void router(
            int layer,
            String name,
            int count,
            Optional<List<double[][]>> rows,
            @Nullable DType stored,
            List<TensorTask> tasks) {
        float[] values = new float[count * width];
        if (rows.isEmpty() && !plan.gateMode().readsPrompts()) {
            values = RouterInit.random(plan.gateMode(), count, width, options.seed(), name);
        }
        for (int e = 0; rows.isPresent() && e < rows.get().size(); e++) {
            for (int i = 0; i < width; i++) {
                values[e * width + i] = (float) rows.get().get(e)[layer][i];
            }
        }
        boolean read = rows.isPresent() && !rows.get().isEmpty();
        if (read && RouterInit.condition(values, count, width) > CLOSE) {
            problems.notice(
                    "the prompts hardly tell the experts apart at ",
                    name,
                    ": its largest singular value is more than " + CLOSE + " times the least; give prompts that differ"
                            + " more");
        }
        tasks.add(task(name, new HeldTensor(List.of((long) count, (long) width), values, "router:" + name), stored));
    }

    private TensorSource matrix(Expert expert, String at, String part, int index) {
        InputModel model = model(expert.model())
                .orElseThrow(() -> new IllegalStateException("a plan without problems has its models"));
        TensorSource source = java.util.Objects.requireNonNull(model.tensors().get(at + part + ".weight"));
        double scale = part.equals(target().parts().get(2)) ? expert.residualScale() : 1;
        if (scale == 1 && expert.noiseScale() == 0) {
            return source;
        }
        long key = CounterRandom.key(options.seed(), "expert " + index, at + part);
        return new NoisyTensor(source, expert.noiseScale(), scale, key);
    }

    /** (experts, rows of an expert, columns). */
    private static TensorSource joined(List<TensorSource> parts, int ofAnExpert) {
        List<Long> one = parts.get(0).shape();
        List<Long> shape = List.of((long) parts.size() / ofAnExpert, one.get(0) * ofAnExpert, one.get(1));
        return new JoinedTensor(
                shape,
                parts,
                String.join(", ", parts.stream().map(TensorSource::label).toList()));
    }

    private TensorTask task(String name, TensorSource source, @Nullable DType stored) {
        DType out = type.orElse(stored == null || stored == DType.F64 ? DType.F32 : stored);
        return new TensorTask(
                name, out, source.shape(), List.of(source), List.of(plan.base().toString()), new Passthrough(1));
    }

    private List<InputModel> open() {
        return models.values().stream().flatMap(Optional::stream).toList();
    }

    @Override
    public void close() {
        open().forEach(InputModel::close);
    }
}
