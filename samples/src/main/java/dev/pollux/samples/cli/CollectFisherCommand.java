package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.FisherCollection;
import dev.pollux.finetune.train.FisherOptions;
import dev.pollux.finetune.train.FisherReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Collects a model's Fisher information for the method fisher. */
@Command(
        name = "collect-fisher",
        description = {
            "Collect the Fisher information that the merge method fisher reads: how much the likelihood of examples depends on"
                    + " each weight of a model.",
            "",
            "It is written into the model's folder, or that of the adapter that is applied to it, as fisher.safetensors. The"
                    + " examples should be what the model is good at: rows of 'pollux train sft', or a text.",
            "",
            "--json: {model, data, file, tensors, left, examples, tokens, passes, elapsedMillis}; left are the tensors without"
                    + " gradients, which a merge gives the mean."
        },
        footer = {
            "  pollux collect-fisher --models ~/models writer letters.jsonl",
            "  pollux collect-fisher --examples 200 base+coder code.md"
        })
final class CollectFisherCommand extends PolluxCommand {

    private static final long MEGABYTE = 1L << 20;

    @Parameters(index = "0", paramLabel = "MODEL", description = "A Hugging Face folder, or model+adapter.")
    private String model = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "The examples: rows of JSON, or a text in UTF-8.")
    private @Nullable Path file;

    @Option(
            names = "--examples",
            order = 10,
            paramLabel = "N",
            description = "Most examples that are read. Default: ${DEFAULT-VALUE}.")
    private int examples = FisherOptions.DEFAULTS.mostExamples();

    @Option(
            names = "--window",
            order = 11,
            paramLabel = "N",
            description = "Most tokens of an example; texts are cut into such. Default: ${DEFAULT-VALUE}.")
    private int window = FisherOptions.DEFAULTS.window();

    @Option(
            names = "--memory",
            order = 12,
            paramLabel = "MB",
            description = "Most megabytes for gradients; with less the examples are read more often. Default:"
                    + " ${DEFAULT-VALUE}.")
    private long memory = FisherOptions.DEFAULTS.memory() / MEGABYTE;

    @Option(
            names = "--models",
            order = 13,
            paramLabel = "FOLDER",
            description = "Where the models are that are named by relative paths. Default: the current folder.")
    private Path models = Path.of("");

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Path from = file == null ? Path.of("") : file;
        GivenPath.file("FILE", from, this);
        FisherCollection collection;
        try {
            collection = FisherCollection.in(
                    models,
                    FisherOptions.builder()
                            .mostExamples(examples)
                            .window(window)
                            .memory(memory * MEGABYTE)
                            .threads(resources.threads())
                            .build());
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        FisherReport done = run(collection.collect(model, rows(from)));
        new Report()
                .add("model", model)
                .add("data", from.toString())
                .add("file", done.file().toString())
                .add("tensors", done.tensors(), done.tensors().size() + " tensors")
                .add("left", done.left(), done.left().size() + " tensors, which get the mean")
                .add("examples", done.examples())
                .add("tokens", done.tokens())
                .add("passes", done.passes())
                .add("elapsedMillis", done.elapsed().toMillis(), "")
                .print(this);
        return ExitCode.OK;
    }

    private static Dataset rows(Path file) {
        String text = TextFile.read(file);
        String begin = text.stripLeading();
        return begin.startsWith("{") || begin.startsWith("[")
                ? Dataset.jsonl(file)
                : Dataset.of(file.toString(), List.of(Map.of("text", text)));
    }
}
