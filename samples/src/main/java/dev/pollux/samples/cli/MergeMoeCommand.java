package dev.pollux.samples.cli;

import dev.pollux.finetune.merge.MergeOptions;
import dev.pollux.finetune.merge.MixtureMerger;
import dev.pollux.finetune.merge.MixturePlan;
import dev.pollux.finetune.merge.MixtureReport;
import dev.pollux.finetune.merge.MixtureYaml;
import dev.pollux.merging.MergePreview;
import java.nio.file.Path;
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
            "Llama and Mistral become Mixtral; Qwen 2, Qwen 3 and LFM2 become their own forms with experts. The folder appears"
                    + " when it is complete.",
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
        Report report =
                MergeDescription.of(source, to, preview, dryRun, (tensor, sources) -> String.join(", ", sources));
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
}
