package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.finetune.merge.MixturePlan.Expert;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.NotFinite;
import dev.pollux.tensor.TypeNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Combines dense models into a mixture of experts, without training. The feed-forward layers of each model become an expert,
 * and its prompts define the texts that the router sends to it. Sukhbaatar et al., "Branch-Train-MiX", arXiv 2403.07816, train
 * the router instead.
 *
 * <p>Llama and Mistral become Mixtral; Qwen 2, Qwen 3 and LFM2 become Qwen 2 MoE, Qwen 3 MoE and LFM2 MoE. The result is a Hugging Face folder.
 * The routers come from the base's hidden states, from its embeddings, or from random numbers. Tensors stream as in {@link
 * CheckpointMerger}. The folder appears when it is complete.
 *
 * <pre>{@code
 * MixturePlan plan = MixtureYaml.read(Path.of("moe.yml"));
 * MixtureReport report = MixtureMerger.in(Path.of("models")).merge(plan, Path.of("mixture")).run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class MixtureMerger {

    private final Path folder;
    private final MergeOptions options;

    private MixtureMerger(Path folder, MergeOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Returns a merger with default options; model names are relative to {@code folder}. */
    public static MixtureMerger in(Path folder) {
        return in(folder, MergeOptions.DEFAULTS);
    }

    /** Returns a merger; model names are relative to {@code folder}. */
    public static MixtureMerger in(Path folder, MergeOptions options) {
        return new MixtureMerger(folder, options);
    }

    /** Checks a plan and predicts the result of {@link #merge} from headers: all problems, and the sources of each tensor. */
    public MergePreview plan(MixturePlan plan) {
        try (MixtureLayout layout = new MixtureLayout(plan, folder, options)) {
            return layout.tasks(Optional.empty()).preview(options);
        }
    }

    /**
     * Writes the mixture to {@code target}, a folder that must not exist.
     *
     * @return a job that reports progress in layers and bytes; if the plan has errors, running it throws {@link
     *     IllegalArgumentException} with all of them before the first write
     */
    public Job<MixtureReport> merge(MixturePlan plan, Path target) {
        return Job.of("merge", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            long begin = System.nanoTime();
            try (MixtureLayout layout = new MixtureLayout(plan, folder, options)) {
                List<String> errors =
                        layout.tasks(Optional.empty()).preview(options).errors();
                if (!errors.isEmpty()) {
                    throw new IllegalArgumentException("The plan cannot be merged:\n- " + String.join("\n- ", errors));
                }
                return write(plan, layout, target, context, begin);
            }
        });
    }

    private MixtureReport write(MixturePlan plan, MixtureLayout layout, Path target, JobContext context, long begin) {
        String digest = PlanDigest.of(layout.tasks(Optional.empty()), options) + " "
                + Integer.toHexString(plan.toString().hashCode());
        return WorkFolder.publish(target, digest, context, work -> {
            MergeLayout tasks = layout.tasks(routers(plan, layout, options.threads(), context));
            InputHashes inputs = options.hashInputs() ? InputHashes.of(models(plan), folder) : InputHashes.none();
            List<String> notices = new ArrayList<>(tasks.preview(options).notices());
            notices.addAll(NotFinite.notices(
                    "result",
                    TensorTask.types(tasks.tasks()),
                    new MergeRun(tasks, options, context, work, inputs).run()));
            notices.forEach(context::notice);
            new ResultTexts(tasks).write(work.path());
            ObjectNode config = layout.target()
                    .config(layout.base().config(), plan.experts().size(), plan.expertsPerToken(), layout.inner());
            config.put("dtype", TypeNames.of(tasks.tasks().get(0).type()));
            config.remove("torch_dtype");
            JsonFile.write(work.path().resolve("config.json"), config);
            card(plan, layout, work.path());
            manifest(plan, inputs).write(work.path());
            return new MixtureReport(
                    target,
                    layout.target().architecture(),
                    plan.experts().size(),
                    tasks.tasks().size(),
                    tasks.bytesToWrite(),
                    options.seed(),
                    notices,
                    Duration.ofNanos(System.nanoTime() - begin));
        });
    }

    private static Stream<ModelReference> models(MixturePlan plan) {
        Stream<Expert> experts = Stream.concat(plan.experts().stream(), plan.sharedExperts().stream());
        return Stream.concat(Stream.of(plan.base()), experts.map(Expert::model));
    }

    private ArtifactManifest manifest(MixturePlan plan, InputHashes inputs) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.CHECKPOINT, "merge-moe")
                .inputs(inputs.inputs())
                .option("base", plan.base())
                .option("experts", plan.experts())
                .option("sharedExperts", plan.sharedExperts())
                .option("gateMode", plan.gateMode())
                .option("expertsPerToken", plan.expertsPerToken())
                .option("dtype", plan.dtype().orElse(""))
                .seed(options.seed())
                .build();
    }

    private static Optional<MixtureLayout.Routers> routers(
            MixturePlan plan, MixtureLayout layout, int threads, JobContext context) {
        if (!plan.gateMode().readsPrompts()) {
            return Optional.empty();
        }
        RouterInit gates = new RouterInit(plan.gateMode(), layout, threads, context);
        List<Expert> shared = plan.sharedExperts().stream()
                .filter(expert -> !expert.positivePrompts().isEmpty())
                .toList();
        List<Expert> all = new java.util.ArrayList<>(plan.experts());
        all.addAll(shared);
        List<double[][]> rows = gates.rows(all);
        int count = plan.experts().size();
        return Optional.of(new MixtureLayout.Routers(rows.subList(0, count), rows.subList(count, rows.size())));
    }

    private void card(MixturePlan plan, MixtureLayout layout, Path to) {
        StringBuilder card = new StringBuilder("---\nbase_model:\n- ")
                .append(JsonNode.of(plan.base().toString()))
                .append("\nlibrary_name: transformers\ntags:\n- moe\n- merge\n- pollux\n---\n\n# A mixture of ")
                .append(plan.experts().size())
                .append(" experts\n\nMade by Pollux of dense models, without training: a ")
                .append(layout.target().architecture())
                .append(" with the attention, norms and embeddings of `")
                .append(plan.base())
                .append("`; routers by `")
                .append(plan.gateMode().name().toLowerCase(java.util.Locale.ROOT))
                .append("`, seed ")
                .append(options.seed())
                .append(".\n\n## Experts\n\n");
        plan.experts().forEach(expert -> line(card, "", expert));
        plan.sharedExperts().forEach(expert -> line(card, "shared: ", expert));
        try {
            Files.writeString(to.resolve("README.md"), card);
        } catch (IOException e) {
            throw new StorageException("Cannot write the model card into " + to + ": " + e, e);
        }
    }

    private static void line(StringBuilder card, String what, Expert expert) {
        card.append("- ").append(what).append('`').append(expert.model()).append('`');
        expert.positivePrompts().forEach(prompt -> card.append("\n  - for: ").append(prompt.replace('\n', ' ')));
        expert.negativePrompts()
                .forEach(prompt -> card.append("\n  - not for: ").append(prompt.replace('\n', ' ')));
        card.append('\n');
    }
}
