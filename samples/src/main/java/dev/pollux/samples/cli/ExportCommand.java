package dev.pollux.samples.cli;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.CacheFormat;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportReport;
import dev.pollux.inference.decoder.WeightFormat;
import java.nio.file.Path;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model as a graph. */
@Command(
        name = "export",
        description = {
            "Write a model as an ONNX folder that --model takes, once and where you want it.",
            "",
            "Other commands export a model by themselves on first use, into the cache. An existing target is refused;"
                    + " the folder appears when it is complete. The report says for every kind of stored matrix what"
                    + " became of it and what that costs.",
            "",
            "--json: {source, target, dryRun, weights, bytes, matrices, notices, elapsedMillis}; matrices counts them"
                    + " by what was done, such as \"Q4_1 rounded to 8 bits\"."
        },
        footer = {
            "  pollux export --dry-run model.gguf out",
            "  pollux export --weights 8bit ./my-model-folder out",
            "  pollux generate --model out \"Hello!\""
        })
final class ExportCommand extends PolluxCommand {

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A GGUF file, a Hugging Face folder, hf:owner/name or the name of an embedded model.")
    private String model = "";

    @Parameters(index = "1", paramLabel = "TARGET", description = "The folder to write; it must not exist.")
    private @Nullable Path target;

    @Option(
            names = "--weights",
            order = 10,
            paramLabel = "FORM",
            defaultValue = "exact",
            converter = WeightsConverter.class,
            description = "exact (as stored where that can be, else 8 bits), float, 8bit or 4bit. Default:"
                    + " ${DEFAULT-VALUE}.")
    private WeightFormat weights = WeightFormat.EXACT;

    @Option(
            names = "--block-size",
            order = 11,
            paramLabel = "N",
            description =
                    "Numbers that share a scale where they are rounded: 16, 32, 64, 128 or 256. Default: what suits"
                            + " each kind of matrix.")
    private @Nullable Integer blockSize;

    @Option(
            names = "--max-context",
            order = 12,
            paramLabel = "N",
            description = "Most tokens of prompt and text together. Default: the model's own limit, at most 131072.")
    private @Nullable Integer maxContext;

    @Option(
            names = "--kv-cache",
            order = 13,
            paramLabel = "FORMAT",
            defaultValue = "float32",
            description = "How keys and values are stored: float32, or float16 in half the memory."
                    + " Default: ${DEFAULT-VALUE}.")
    private CacheFormat cache = CacheFormat.FLOAT32;

    @Option(
            names = "--whole-cache",
            order = 14,
            description = "Layers with a sliding window keep all positions, not only those that it reaches.")
    private boolean wholeCache;

    @Option(names = "--dry-run", order = 15, description = "Say what would be written, and write nothing.")
    private boolean dryRun;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        ExportOptions options = options();
        Path to = target == null ? Path.of("") : target;
        Path source = ModelOptions.locate(model, this, resources);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            ExportReport done = dryRun
                    ? DecoderExport.preview(checkpoint, options)
                    : run(DecoderExport.export(checkpoint, to, options));
            report(source, to, done).print(this);
        }
        return ExitCode.OK;
    }

    private ExportOptions options() {
        ExportOptions.Builder builder =
                ExportOptions.builder().weights(weights).cache(cache).wholeCache(wholeCache);
        if (blockSize != null) {
            builder.blockSize(blockSize);
        }
        if (maxContext != null) {
            builder.maxContext(maxContext);
        }
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    private Report report(Path source, Path to, ExportReport done) {
        TreeMap<String, Integer> matrices = new TreeMap<>(done.matrices());
        Report report = new Report()
                .add("source", source.toString())
                .add("target", to.toString(), dryRun ? to + " (dry run: nothing is written)" : to.toString())
                .add("dryRun", dryRun, "")
                .add("weights", WeightsConverter.name(weights))
                .add("bytes", done.bytes(), Texts.bytes(done.bytes()) + " of weights")
                .add("matrices", matrices, "");
        matrices.forEach((what, count) -> report.line("  " + what + ": " + count));
        report.add("notices", done.notices(), "");
        done.notices().forEach(notice -> report.line("note: " + notice));
        return report.add("elapsedMillis", done.elapsed().toMillis(), "");
    }
}
