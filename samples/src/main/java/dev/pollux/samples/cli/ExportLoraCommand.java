package dev.pollux.samples.cli;

import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.gguf.GgufAdapterExport;
import dev.pollux.inference.gguf.GgufType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes adapters in other formats. */
@Command(
        name = "export-lora",
        description = {
            "Write a LoRA adapter as a GGUF file, which llama.cpp and Ollama apply to the model (--lora FILE).",
            "",
            "--json: {adapter, model, file, matrices, bytes}."
        },
        footer = {
            "  pollux export-lora adapter adapter.gguf --model model",
            "  pollux export-lora adapter adapter.gguf --model model.gguf --type f16"
        })
final class ExportLoraCommand extends PolluxCommand {

    @Parameters(index = "0", paramLabel = "ADAPTER", description = "A folder in PEFT's form.")
    private @Nullable Path adapter;

    @Parameters(index = "1", paramLabel = "FILE", description = "The file to write; it must not exist.")
    private @Nullable Path file;

    @Option(
            names = "--model",
            order = 10,
            required = true,
            paramLabel = "MODEL",
            description = "The model of the adapter: a Hugging Face folder or a GGUF file, whose headers are read.")
    private @Nullable Path model;

    @Option(
            names = "--type",
            order = 11,
            paramLabel = "TYPE",
            defaultValue = "f32",
            description = "Type of the factors: f32, f16 or bf16. Default: ${DEFAULT-VALUE}.")
    private String type = GgufType.F32.text();

    @Override
    int execute() {
        Path from = adapter == null ? Path.of("") : adapter;
        Path target = file == null ? Path.of("") : file;
        Path base = model == null ? Path.of("") : model;
        GgufType chosen = GgufType.of(type)
                .filter(GgufAdapterExport.TYPES::contains)
                .orElseThrow(() -> usage("--type must be f32, f16 or bf16 but was " + type));
        GivenPath.adapters(List.of(from));
        GivenPath.model(base.toString());
        try (LoraAdapter read = LoraAdapter.load(from);
                Checkpoint checkpoint = Checkpoint.open(base)) {
            GgufAdapterExport.write(read, checkpoint, chosen, target);
            long bytes = Files.isRegularFile(target) ? target.toFile().length() : 0;
            new Report()
                    .add("adapter", from.toString())
                    .add("model", base.toString())
                    .add("file", target.toString())
                    .add("matrices", read.targets().size())
                    .add("bytes", bytes, Texts.bytes(bytes))
                    .print(this);
            return ExitCode.OK;
        }
    }
}
