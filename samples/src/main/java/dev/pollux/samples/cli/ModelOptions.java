package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.generation.Generator;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportOptions.Weights;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.hub.ModelHub;
import dev.pollux.job.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Which language model, and in what form. */
final class ModelOptions {

    /** The embedded model that is used where none is named. */
    static final String DEFAULT_MODEL = "smollm2-135m-instruct";

    private static final Pattern ADAPTER = Pattern.compile("(.+)=(-?[0-9]+(?:\\.[0-9]+)?)");

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

    @Option(
            names = "--adapter",
            order = 22,
            paramLabel = "PATH[=SCALE]",
            description =
                    "A LoRA adapter over the model: a folder in PEFT's form or a GGUF file, and by what it is multiplied, 1"
                            + " where nothing is said. Repeated, adapters are added up.")
    private List<String> adapters = List.of();

    @Option(
            names = "--device",
            order = 23,
            paramLabel = "DEVICE",
            defaultValue = "cpu",
            converter = DeviceConverter.class,
            description =
                    "Where the model runs: cpu, cuda, cuda:1, coreml, directml and others, where the ONNX Runtime on"
                            + " the class path has them. Default: ${DEFAULT-VALUE}.")
    private Device device = Device.CPU;

    /** Opens the model; the first time it is unpacked and exported into the cache. */
    Generator open(PolluxCommand command, ResourceOptions resources) {
        return adapted(command.run(opening(command, resources)));
    }

    /** The model with the adapters that were named. */
    Generator adapted(OnnxGenerator model) {
        if (adapters.isEmpty()) {
            return model;
        }
        try {
            Map<Path, Double> scales = new LinkedHashMap<>();
            adapters.forEach(adapter -> {
                Matcher parts = ADAPTER.matcher(adapter);
                if (parts.matches()) {
                    scales.put(Path.of(parts.group(1)), Double.valueOf(parts.group(2)));
                } else {
                    scales.put(Path.of(adapter), 1.0);
                }
            });
            return new AdaptedModel(model, model.adapted(scales));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /** The model without adapters, as a job; an embedded model is unpacked, one of the hub fetched when this returns. */
    Job<OnnxGenerator> opening(PolluxCommand command, ResourceOptions resources) {
        EngineOptions options = EngineOptions.builder()
                .threads(resources.threads())
                .device(device)
                .adapters(!adapters.isEmpty())
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
