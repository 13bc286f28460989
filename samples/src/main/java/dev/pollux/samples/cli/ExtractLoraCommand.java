package dev.pollux.samples.cli;

import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.adapter.LoraExtractionOptions;
import dev.pollux.finetune.adapter.LoraExtractionPreview;
import dev.pollux.finetune.adapter.LoraExtractionReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a LoRA adapter of a fine-tuned model. */
@Command(
        name = "extract-lora",
        description = {
            "Make a LoRA adapter of the difference between a fine-tuned model and its base.",
            "",
            "The adapter is a folder in PEFT's form; it can be merged (model+adapter) and loaded by PEFT.",
            "",
            "--json: {base, model, target, dryRun, matrices, whole, left, bytes, relativeError, elapsedMillis}; matrices"
                    + " are {module, rank, norm, relativeError}, in a dry run {module, rows, columns, mostRank}."
        },
        footer = {
            "  pollux extract-lora --base base --model tuned --rank 16 adapter",
            "  pollux extract-lora --base base --model tuned --kept-energy 0.9 --exclude mlp --dry-run adapter"
        })
final class ExtractLoraCommand extends PolluxCommand {

    private static final LoraExtractionOptions DEFAULTS = LoraExtractionOptions.DEFAULTS;

    @Parameters(index = "0", paramLabel = "TARGET", description = "The folder to write; it must not exist.")
    private @Nullable Path target;

    @Option(
            names = "--base",
            order = 10,
            required = true,
            paramLabel = "MODEL",
            description = "The model that the other was fine-tuned from, a folder.")
    private String base = "";

    @Option(
            names = "--model",
            order = 11,
            required = true,
            paramLabel = "MODEL",
            description = "The fine-tuned model, a folder.")
    private String model = "";

    @Option(
            names = "--rank",
            order = 12,
            paramLabel = "N",
            description = "Most singular values of a matrix. Default: ${DEFAULT-VALUE}.")
    private int rank = DEFAULTS.rank();

    @Option(
            names = "--kept-energy",
            order = 13,
            paramLabel = "SHARE",
            description =
                    "Keep the fewest singular values whose squares sum to this share. Default: as many as --rank says.")
    private double keptEnergy = DEFAULTS.keptEnergy();

    @Option(
            names = "--sv-epsilon",
            order = 14,
            paramLabel = "NUMBER",
            description = "Drop singular values up to this. Default: none.")
    private double epsilon = DEFAULTS.epsilon();

    @Option(
            names = "--alpha",
            order = 15,
            paramLabel = "NUMBER",
            description = "The adapter's lora_alpha; the factors are scaled to fit. Default: the rank.")
    private @Nullable Double alpha;

    @Option(
            names = "--include",
            order = 16,
            paramLabel = "REGEX",
            description = "Only modules in whose names this is found; may be repeated.")
    private List<String> include = List.of();

    @Option(
            names = "--exclude",
            order = 17,
            paramLabel = "REGEX",
            description = "No modules in whose names this is found; may be repeated.")
    private List<String> exclude = List.of();

    @Option(
            names = "--embed-lora",
            order = 18,
            description = "Factor embeddings and head too. Default: store them whole.")
    private boolean embedLora;

    @Option(
            names = "--skip-undecomposable",
            order = 19,
            description = "Leave out norms and what else cannot be factored. Default: store it whole.")
    private boolean skip;

    @Option(
            names = "--no-distribute-scale",
            order = 20,
            description = "Put the singular values into A alone. Default: their roots into both factors.")
    private boolean undistributed;

    @Option(
            names = "--models",
            order = 21,
            paramLabel = "FOLDER",
            description = "Where the models are that are named by relative paths. Default: the current folder.")
    private Path models = Path.of("");

    @Option(names = "--dry-run", order = 22, description = "Say what would be factored, and write nothing.")
    private boolean dryRun;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Path to = target == null ? Path.of("") : target;
        LoraExtraction extraction = LoraExtraction.in(models, options());
        Report report = new Report()
                .add("base", base)
                .add("model", model)
                .add("target", to.toString(), dryRun ? to + " (dry run: nothing is written)" : to.toString())
                .add("dryRun", dryRun, "");
        if (dryRun) {
            preview(report, extraction.preview(base, model));
        } else {
            done(report, run(extraction.extract(base, model, to)));
        }
        report.print(this);
        return ExitCode.OK;
    }

    private LoraExtractionOptions options() {
        LoraExtractionOptions.Builder options = LoraExtractionOptions.builder()
                .rank(rank)
                .keptEnergy(keptEnergy)
                .epsilon(epsilon)
                .include(include)
                .exclude(exclude)
                .wholeOthers(!skip)
                .distributeScale(!undistributed)
                .threads(resources.threads());
        if (embedLora) {
            options.embeddings(LoraExtractionOptions.Embeddings.LORA);
        }
        if (alpha != null) {
            options.alpha(alpha);
        }
        return options.build();
    }

    private static void preview(Report report, LoraExtractionPreview preview) {
        report.add("matrices", preview.matrices(), preview.matrices().size() + " to factor")
                .add("whole", preview.whole(), preview.whole().size() + " tensors")
                .add("left", preview.left(), preview.left().size() + " tensors")
                .add("bytes", preview.mostBytes(), "at most " + Texts.bytes(preview.mostBytes()) + " of weights");
        preview.matrices()
                .forEach(matrix -> report.line("  " + matrix.module() + ": " + matrix.rows() + " × " + matrix.columns()
                        + ", rank at most " + matrix.mostRank()));
    }

    private static void done(Report report, LoraExtractionReport done) {
        report.add("matrices", shapes(done), done.matrices().size() + " factored")
                .add("whole", done.whole(), done.whole().size() + " tensors")
                .add("left", done.left(), done.left().size() + " tensors")
                .add("bytes", done.bytesWritten(), Texts.bytes(done.bytesWritten()) + " of weights")
                .add(
                        "relativeError",
                        done.relativeError(),
                        String.format(
                                Locale.ROOT, "%.4f of the factored matrices' change is lost", done.relativeError()))
                .add("elapsedMillis", done.elapsed().toMillis(), "");
    }

    private static List<MatrixShape> shapes(LoraExtractionReport done) {
        return done.matrices().stream()
                .map(matrix -> new MatrixShape(matrix.module(), matrix.rank(), matrix.norm(), matrix.relativeError()))
                .toList();
    }

    /** A factored matrix as JSON shows it. */
    record MatrixShape(String module, int rank, double norm, double relativeError) {}
}
