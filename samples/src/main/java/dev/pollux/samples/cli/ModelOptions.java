package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportOptions.Weights;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.hub.ModelHub;
import dev.pollux.job.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which language model, and in what form. */
final class ModelOptions {

    /** The embedded model that is used where none is named. */
    static final String DEFAULT_MODEL = "smollm2-135m-instruct";

    @Option(
            names = "--model",
            order = 20,
            paramLabel = "MODEL",
            defaultValue = DEFAULT_MODEL,
            description =
                    "A GGUF file, a Hugging Face folder, a folder written by 'pollux export', a ready-made ONNX folder"
                            + " (onnxruntime-genai, Optimum, transformers.js) or one of its .onnx files, a model of the hub"
                            + " such as hf:owner/name or hf:owner/name:Q4_K_M ('pollux fetch'), or the name of an embedded model ('pollux"
                            + " models'). Default: ${DEFAULT-VALUE}.")
    private String model = DEFAULT_MODEL;

    @Option(
            names = "--weights",
            order = 21,
            paramLabel = "FORM",
            defaultValue = "exact",
            converter = WeightsConverter.class,
            description =
                    "Form of the weights where the model is exported on first use: exact (as stored where that can"
                            + " be, else 8 bits), float, 8bit or 4bit. Default: ${DEFAULT-VALUE}.")
    private Weights weights = Weights.EXACT;

    /** Opens the model; the first time it is unpacked and exported into the cache. */
    OnnxGenerator open(PolluxCommand command, ResourceOptions resources) {
        return command.run(opening(command, resources));
    }

    /** The same as a job; an embedded model is unpacked, one of the hub fetched when this returns. */
    Job<OnnxGenerator> opening(PolluxCommand command, ResourceOptions resources) {
        EngineOptions options = EngineOptions.builder()
                .threads(resources.threads())
                .export(ExportOptions.builder().weights(weights).build())
                .cache(resources.cache())
                .build();
        return OnnxGenerator.opening(locate(model, command, resources), options);
    }

    /** The path of a model that is named by its path, by the hub's name for it, or by the name of an embedded one. */
    static Path locate(String model, PolluxCommand command, ResourceOptions resources) {
        if (EmbeddedModel.names().contains(model)) {
            return command.run(EmbeddedModel.named(model).unpack(resources.cache()));
        }
        if (ModelHub.names(model)) {
            return command.run(ModelHub.builder().build().fetch(model));
        }
        Path path = Path.of(model);
        boolean variant = model.endsWith(".onnx"); // the folder knows which there are
        if (!variant && !Files.exists(path)) {
            throw new StorageException("There is no model '" + model
                    + "': no file or folder of that path, and among the"
                    + " embedded models only " + EmbeddedModel.names() + "; give a GGUF file, a Hugging Face folder,"
                    + " an exported folder or hf:owner/name");
        }
        return path;
    }
}
