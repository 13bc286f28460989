package dev.pollux.samples.cli;

import dev.pollux.finetune.merge.CheckpointMerger;
import dev.pollux.finetune.merge.EvaluationOptions;
import dev.pollux.finetune.merge.MergeEvaluation;
import dev.pollux.finetune.merge.MergeEvaluator;
import dev.pollux.finetune.merge.MergeOptions;
import dev.pollux.finetune.merge.MergekitYaml;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Merges models. */
@Command(
        name = "merge",
        description = {
            "Merge models as a plan says, in the YAML of mergekit.",
            "",
            "Everything wrong with the plan is said before a byte is written. A merge that was killed goes on where it"
                    + " stopped when it is run again; the folder appears when it is complete.",
            "",
            "The folder gets a merge-report.html to look at and a merge-report.json, from which --replay makes the same"
                    + " weights again.",
            "",
            "--json: {plan, target, dryRun, tensors, bytesToRead, bytesToWrite, problems, expectedMillis,"
                    + " seed, resumedTensors, elapsedMillis, evaluation}; problems are {fatal, message}, evaluation is"
                    + " {models, samples}."
        },
        footer = {
            "  pollux merge --dry-run plan.yml merged",
            "  pollux merge --models ~/models plan.yml merged",
            "  pollux merge --models ~/models --replay merged/merge-report.json again"
        })
final class MergeCommand extends PolluxCommand {

    @Parameters(
            index = "0",
            paramLabel = "PLAN",
            description = "The plan, a YAML file; with --replay the merge-report.json of a result.")
    private @Nullable Path plan;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The folder to write; it must not exist.")
    private @Nullable Path target;

    @Option(
            names = "--models",
            order = 10,
            paramLabel = "FOLDER",
            description = "Where the models are that the plan names by relative paths. Default: the current folder.")
    private Path models = Path.of("");

    @Option(
            names = "--seed",
            order = 11,
            paramLabel = "N",
            description = "Seed of the methods that draw random numbers. Default: 0.")
    private @Nullable Long seed;

    @Option(names = "--dry-run", order = 12, description = "Say what each tensor would get, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--evaluate",
            order = 13,
            paramLabel = "FILE",
            description =
                    "Then compare the sources and the result by perplexity on this text, and by what they answer.")
    private @Nullable Path evaluated;

    @Option(
            names = "--prompt",
            order = 14,
            paramLabel = "TEXT",
            description = "What they answer with --evaluate; may be repeated. Default: two questions.")
    private List<String> prompts = EvaluationOptions.DEFAULTS.prompts();

    @Option(
            names = "--replay",
            order = 15,
            description = "Merge as the report in place of the plan says, if its input files are still the same.")
    private boolean replay;

    @Option(
            names = "--no-hash",
            order = 16,
            description = "Do not hash the inputs; the report cannot be replayed then.")
    private boolean noHash;

    @Option(
            names = "--statistics",
            order = 17,
            paramLabel = "HOW",
            description = "How closely the report looks at the sources: ${COMPLETION-CANDIDATES}. Default:"
                    + " ${DEFAULT-VALUE}.")
    private MergeOptions.Statistics statistics = MergeOptions.DEFAULTS.statistics();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (replay && (dryRun || evaluated != null || seed != null || noHash)) {
            String other =
                    dryRun ? "--dry-run" : evaluated != null ? "--evaluate" : seed != null ? "--seed" : "--no-hash";
            throw usage("--replay merges as its report says and nothing else; leave out " + other + " or --replay");
        }
        Path source = plan == null ? Path.of("") : plan;
        Path to = target == null ? Path.of("") : target;
        MergeOptions options = MergeOptions.builder()
                .seed(seed == null ? MergeOptions.DEFAULTS.seed() : seed)
                .threads(resources.threads())
                .statistics(statistics)
                .hashInputs(!noHash)
                .build();
        CheckpointMerger merger = CheckpointMerger.in(models, options);
        if (replay) {
            return replayed(merger, source, to);
        }
        MergePlan read = MergekitYaml.read(source);
        String text = evaluated == null ? "" : TextFile.read(evaluated);
        MergePreview preview = merger.plan(read);
        if (dryRun) {
            Report report = described(source, to, preview);
            Duration expected = preview.isPossible() ? merger.expectedTime(preview) : Duration.ZERO;
            report.add("expectedMillis", expected.toMillis(), "");
            if (preview.isPossible()) {
                report.text("expected time", "about " + Texts.seconds(expected) + " on this machine");
            }
            report.print(this);
            return preview.isPossible() ? ExitCode.OK : ExitCode.ERROR;
        }
        MergeReport done = run(merger.merge(read, to));
        Report report = described(source, to, preview)
                .add("seed", done.seed())
                .add("resumedTensors", done.resumedTensors(), "")
                .add("elapsedMillis", done.elapsed().toMillis(), "");
        if (evaluated != null) {
            evaluate(read, to, text, report);
        }
        report.print(this);
        return ExitCode.OK;
    }

    private void evaluate(MergePlan plan, Path result, String text, Report report) {
        EvaluationOptions options = EvaluationOptions.builder()
                .prompts(prompts)
                .engine(EngineOptions.builder()
                        .threads(resources.threads())
                        .cache(resources.cache())
                        .build())
                .build();
        List<String> names = new ArrayList<>(MergeEvaluator.sources(plan));
        names.add(result.toAbsolutePath().toString());
        MergeEvaluation found = run(MergeEvaluator.in(models, options).evaluate(names, text));
        report.add("evaluation", found, "").line("");
        found.toMarkdown().lines().forEach(report::line);
    }

    private int replayed(CheckpointMerger merger, Path source, Path to) {
        MergeReport done = run(merger.replay(source, to));
        new Report()
                .add("plan", source.toString())
                .add("target", to.toString())
                .add("dryRun", false, "")
                .add("tensors", done.tensors().size())
                .add("bytesToWrite", done.bytesWritten(), Texts.bytes(done.bytesWritten()) + " of weights")
                .add("seed", done.seed())
                .add("resumedTensors", done.resumedTensors(), "")
                .add("elapsedMillis", done.elapsed().toMillis(), "")
                .print(this);
        return ExitCode.OK;
    }

    private Report described(Path source, Path to, MergePreview preview) {
        return MergeDescription.of(
                source,
                to,
                preview,
                dryRun,
                (tensor, sources) -> tensor.method() + " of " + String.join(", ", sources));
    }
}
