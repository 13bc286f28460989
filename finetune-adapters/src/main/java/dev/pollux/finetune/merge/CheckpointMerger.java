package dev.pollux.finetune.merge;

import dev.pollux.CancelledException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeReport;
import dev.pollux.merging.MergeReport.MergedTensor;
import dev.pollux.merging.ModelMerger;
import dev.pollux.tensor.NotFinite;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * Merges Hugging Face folders with safetensors, with or without LoRA adapters, into one such folder.
 *
 * <p>Several tensors are processed at once, in windows that fit the memory budget. The result is written to a hidden folder
 * next to the target and moved to the target when it is complete. A killed merge resumes when it is run again. A cancelled or
 * failed merge leaves no files. The bytes of the result do not depend on threads, memory or interruptions. A running job uses
 * {@link MergeOptions#threads()} threads.
 *
 * <pre>{@code
 * ModelMerger merger = CheckpointMerger.in(Path.of("models"));
 * MergePlan plan = MergekitYaml.read(Path.of("plan.yml"));
 * merger.merge(plan, Path.of("merged")).run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class CheckpointMerger implements ModelMerger {

    private final Path folder;
    private final MergeOptions options;

    private CheckpointMerger(Path folder, MergeOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Returns a merger with default options; model names are relative to {@code folder}. */
    public static CheckpointMerger in(Path folder) {
        return in(folder, MergeOptions.DEFAULTS);
    }

    /** Returns a merger; model names are relative to {@code folder}. */
    public static CheckpointMerger in(Path folder, MergeOptions options) {
        return new CheckpointMerger(folder, options);
    }

    @Override
    public MergePreview plan(MergePlan plan) {
        try (Stages stages = Stages.planned(plan, folder, options)) {
            return stages.preview();
        }
    }

    /**
     * Estimates the duration of a merge on this machine from a measurement that takes a fraction of a second. The estimate
     * assumes that the inputs are in memory and that the machine is otherwise idle.
     *
     * @param preview the result of {@link #plan}
     */
    public Duration expectedTime(MergePreview preview) {
        return TimeEstimate.of(preview, options);
    }

    @Override
    public Job<MergeReport> merge(MergePlan plan, Path target) {
        return Job.of("merge", context -> {
            return merge(plan, target, checked(plan, target, context), context);
        });
    }

    /**
     * Repeats an earlier merge. The weights get the same bytes.
     *
     * @param report the {@code merge-report.json} of the earlier result; its plan, seed and file sizes are used
     * @return a job that fails with {@link IllegalArgumentException} before anything is written if an input file has changed
     */
    public Job<MergeReport> replay(Path report, Path target) {
        ReportFiles.Recipe recipe = ReportFiles.Recipe.read(report);
        MergeOptions same = MergeOptions.builder()
                .seed(recipe.seed())
                .shardBytes(recipe.shardBytes())
                .likeReference(recipe.likeReference())
                .threads(options.threads())
                .memory(options.memory())
                .statistics(options.statistics())
                .build();
        CheckpointMerger merger = new CheckpointMerger(folder, same);
        return Job.of("merge", context -> {
            Checked checked = merger.checked(recipe.plan(), target, context);
            recipe.check(checked.inputs().all(context));
            return merger.merge(recipe.plan(), target, checked, context);
        });
    }

    /** The result of a successful check; the inputs are not hashed yet. */
    private record Checked(InputHashes inputs, List<String> notices) {}

    /** Rejects a plan that cannot be merged. */
    private Checked checked(MergePlan plan, Path target, JobContext context) {
        if (Files.exists(target)) {
            throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
        }
        MergePreview preview = plan(plan);
        if (!preview.isPossible()) {
            throw new IllegalArgumentException(
                    "The plan cannot be merged:\n- " + String.join("\n- ", preview.errors()));
        }
        WorkFolder.checkSpace(target, preview.bytesToWrite());
        preview.notices().forEach(context::notice);
        return new Checked(options.hashInputs() ? InputHashes.of(plan, folder) : InputHashes.none(), preview.notices());
    }

    private MergeReport merge(MergePlan plan, Path target, Checked checked, JobContext context) {
        long begin = System.nanoTime();
        Map<String, InputModel> made = new LinkedHashMap<>();
        StageFolders folders = new StageFolders(target);
        try {
            for (MergePlan stage : plan.stages()) {
                String name = stage.name().orElseThrow(() -> new IllegalStateException("a stage has a name"));
                MergeLayout layout = new MergePlanner(stage, folder, options, Map.copyOf(made)).layout();
                Path done;
                try (layout) {
                    String digest = PlanDigest.of(layout, options);
                    done = folders.of(name, digest);
                    if (!Files.exists(done)) {
                        write(layout, done, digest, context, checked.inputs(), (written, work) -> written);
                    }
                }
                made.put(name, folders.open(name, done));
            }
            try (MergeLayout layout = new MergePlanner(plan, folder, options, Map.copyOf(made)).layout()) {
                return write(
                        layout, target, PlanDigest.of(layout, options), context, checked.inputs(), (written, work) -> {
                            MergeReport report = report(layout, target, written, checked, begin);
                            ReportFiles.write(plan, options, report, work);
                            manifest(plan, checked.inputs()).write(work);
                            return report;
                        });
            }
        } catch (CancelledException e) {
            made.values().forEach(InputModel::close);
            folders.delete();
            throw e;
        } finally {
            made.values().forEach(InputModel::close);
            if (Files.exists(target)) {
                folders.delete();
            }
        }
    }

    private ArtifactManifest manifest(MergePlan plan, InputHashes inputs) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.CHECKPOINT, "merge")
                .inputs(inputs.inputs())
                .option("plan", PlanWriter.documents(plan))
                .option("likeReference", options.likeReference())
                .option("shardBytes", options.shardBytes())
                .seed(options.seed())
                .build();
    }

    /** The result of a run: facts of each tensor, number of tensors from an earlier run, notices, copied files. */
    private record Written(
            Map<String, Map<String, String>> facts, int resumed, List<String> notices, List<String> carried) {}

    /** @param atEnd writes the remaining files and returns the result */
    private <R> R write(
            MergeLayout layout,
            Path target,
            String digest,
            JobContext context,
            InputHashes inputs,
            BiFunction<Written, Path, R> atEnd) {
        return WorkFolder.publish(target, digest, context, work -> {
            int resumed = work.finished().size();
            Map<String, Map<String, String>> facts;
            if (layout.donor().flatMap(InputModel::onnx).isPresent()) {
                facts = new MergeRun(layout, OnnxResult.options(options), context, work, inputs).run();
                new OnnxResult(layout).write(work.path());
            } else {
                facts = new MergeRun(layout, options, context, work, inputs).run();
                new ResultTexts(layout).write(work.path());
            }
            List<String> notices = NotFinite.notices("result", TensorTask.types(layout.tasks()), facts);
            notices.forEach(context::notice);
            ModelCard.write(layout, options, work.path());
            return atEnd.apply(new Written(facts, resumed, notices, ReportFiles.carried(work.path())), work.path());
        });
    }

    private MergeReport report(MergeLayout layout, Path target, Written written, Checked checked, long begin) {
        List<MergedTensor> tensors = new ArrayList<>();
        for (TensorTask task : layout.tasks()) {
            Map<String, String> facts = new LinkedHashMap<>(written.facts().getOrDefault(task.name(), Map.of()));
            Optional<String> statistics = Optional.ofNullable(facts.remove(SourceMeter.FACT));
            tensors.add(new MergedTensor(
                    task.name(), task.method().toString(), task.labels(), facts, statistics.map(SourceMeter::parse)));
        }
        return new MergeReport(
                target,
                tensors,
                layout.bytesToWrite(),
                written.resumed(),
                options.seed(),
                Stream.concat(checked.notices().stream(), written.notices().stream())
                        .toList(),
                Duration.ofNanos(System.nanoTime() - begin),
                checked.inputs().files(),
                written.carried());
    }
}
