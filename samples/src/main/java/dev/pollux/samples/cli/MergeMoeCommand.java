package dev.pollux.samples.cli;

import dev.pollux.merge.MergeOptions;
import dev.pollux.merge.MixtureMerger;
import dev.pollux.merge.MixturePlan;
import dev.pollux.merge.MixtureReport;
import dev.pollux.merge.MixtureYaml;
import dev.pollux.merging.MergePreview;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a mixture of experts of dense models. */
@Command(
        name = "merge-moe",
        description = {
            "Make a mixture of experts of dense models as a plan says, in the YAML of mergekit-moe.",
            "",
            "Llama and Mistral become Mixtral, Qwen 2 and 3 their own forms with experts. The folder appears when it is"
                    + " complete.",
            "",
            "--json: {plan, target, dryRun, tensors, bytesToRead, bytesToWrite, problems, architecture, seed,"
                    + " elapsedMillis}; problems are {fatal, message}."
        },
        footer = {
            "  pollux merge-moe --dry-run plan.yml mixture",
            "  pollux merge-moe --models ~/models plan.yml mixture"
        })
final class MergeMoeCommand extends PolluxCommand {

    @Parameters(index = "0", paramLabel = "PLAN", description = "The plan, a YAML file.")
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
            description = "Seed of random routers and of noise. Default: ${DEFAULT-VALUE}.")
    private long seed = MergeOptions.DEFAULTS.seed();

    @Option(names = "--dry-run", order = 12, description = "Say what each tensor would get, and write nothing.")
    private boolean dryRun;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Path source = plan == null ? Path.of("") : plan;
        Path to = target == null ? Path.of("") : target;
        MixturePlan read = MixtureYaml.read(source);
        MixtureMerger merger = MixtureMerger.in(
                models,
                MergeOptions.builder().seed(seed).threads(resources.threads()).build());
        MergePreview preview = merger.plan(read);
        Report report = described(source, to, preview);
        if (dryRun) {
            report.print(this);
            return preview.isPossible() ? ExitCode.OK : ExitCode.ERROR;
        }
        MixtureReport done = run(merger.merge(read, to));
        report.add("architecture", done.architecture(), done.architecture() + " with " + done.experts() + " experts")
                .add("seed", done.seed())
                .add("elapsedMillis", done.elapsed().toMillis(), "")
                .print(this);
        return ExitCode.OK;
    }

    private Report described(Path source, Path to, MergePreview preview) {
        Report report = new Report()
                .add("plan", source.toString())
                .add("target", to.toString(), dryRun ? to + " (dry run: nothing is written)" : to.toString())
                .add("dryRun", dryRun, "")
                .add("tensors", preview.tensors().size())
                .add("bytesToRead", preview.bytesToRead(), Texts.bytes(preview.bytesToRead()) + " of weights")
                .add("bytesToWrite", preview.bytesToWrite(), Texts.bytes(preview.bytesToWrite()) + " of weights");
        List<MergeCommand.ProblemShape> problems = preview.problems().stream()
                .map(problem -> new MergeCommand.ProblemShape(problem.isFatal(), problem.message()))
                .toList();
        report.add("problems", problems, "");
        problems.forEach(problem -> report.line((problem.fatal() ? "error: " : "note: ") + problem.message()));
        if (dryRun) {
            preview.tensors()
                    .forEach(tensor -> report.line("  " + tensor.name() + ": " + String.join(", ", tensor.sources())));
        }
        return report;
    }
}
