package dev.pollux.samples.cli;

import dev.pollux.finetune.merge.GramCollection;
import dev.pollux.finetune.merge.GramOptions;
import dev.pollux.finetune.merge.GramReport;
import dev.pollux.inference.engine.EngineOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Collects a model's input statistics for the method regmean. */
@Command(
        name = "collect-gram",
        description = {
            "Collect the Gram matrices that the method regmean reads: the model reads a text, and the inner products of what"
                    + " each of its matrices is multiplied with are added up.",
            "",
            "They are written into the model's folder, or that of the adapter that is applied to it, as gram.safetensors. The"
                    + " text should be what the model is good at; give each model of a merge the same number of tokens.",
            "",
            "--json: {model, text, file, dryRun, matrices, left, tokens, passes, bytes, elapsedMillis}; matrices are the names"
                    + " of those that get one, left of those that do not."
        },
        footer = {
            "  pollux collect-gram --dry-run writer letters.md",
            "  pollux collect-gram --models ~/models --tokens 16384 base+coder code.md"
        })
final class CollectGramCommand extends PolluxCommand {

    private static final long MEGABYTE = 1L << 20;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A Hugging Face folder or one with a GGUF file, or model+adapter.")
    private String model = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "The text, in UTF-8.")
    private @Nullable Path file;

    @Option(
            names = "--tokens",
            order = 10,
            paramLabel = "N",
            description = "Most tokens of the text that are read. Default: ${DEFAULT-VALUE}.")
    private int tokens = GramOptions.DEFAULTS.mostTokens();

    @Option(
            names = "--window",
            order = 11,
            paramLabel = "N",
            description = "Tokens that the model reads at a time. Default: ${DEFAULT-VALUE}.")
    private int window = GramOptions.DEFAULTS.window();

    @Option(
            names = "--memory",
            order = 12,
            paramLabel = "MB",
            description = "Most megabytes for the matrices; with less the text is read more often. Default:"
                    + " ${DEFAULT-VALUE}.")
    private long memory = GramOptions.DEFAULTS.memory() / MEGABYTE;

    @Option(
            names = "--models",
            order = 13,
            paramLabel = "FOLDER",
            description = "Where the models are that are named by relative paths. Default: the current folder.")
    private Path models = Path.of("");

    @Option(names = "--dry-run", order = 14, description = "Say what would be collected, and write nothing.")
    private boolean dryRun;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Path from = file == null ? Path.of("") : file;
        GramCollection collection = GramCollection.in(models, options());
        String text = TextFile.read(from);
        GramReport done = dryRun ? collection.preview(model, text) : run(collection.collect(model, text));
        new Report()
                .add("model", model)
                .add("text", from.toString())
                .add(
                        "file",
                        done.file().toString(),
                        dryRun ? done.file() + " (dry run: nothing is written)" : "" + done.file())
                .add("dryRun", dryRun, "")
                .add("matrices", done.matrices(), done.matrices().size() + " matrices")
                .add("left", done.left(), done.left().size() + " matrices, which get the mean")
                .add("tokens", done.tokens())
                .add("passes", done.passes())
                .add("bytes", done.bytes(), Texts.bytes(done.bytes()))
                .add("elapsedMillis", done.elapsed().toMillis(), "")
                .print(this);
        return ExitCode.OK;
    }

    private GramOptions options() {
        return GramOptions.builder()
                .mostTokens(tokens)
                .window(window)
                .memory(memory * MEGABYTE)
                .engine(EngineOptions.builder()
                        .threads(resources.threads())
                        .cache(resources.cache())
                        .build())
                .build();
    }
}
