package dev.pollux.samples.cli;

import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.decoder.CacheFormat;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.hub.ModelLocator;
import dev.pollux.starter.DocumentTwin;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the language model and its format. */
final class ModelOptions {

    private static final Pattern ADAPTER = Pattern.compile("(.+)=(-?[0-9]+(?:\\.[0-9]+)?)");

    @Option(
            names = "--model",
            order = 20,
            paramLabel = "MODEL",
            description =
                    "A GGUF file, a Hugging Face folder, a folder written by 'pollux export', a ready-made ONNX folder"
                            + " (onnxruntime-genai, Optimum, transformers.js) or one of its .onnx files, a model of the"
                            + " hub such as hf:owner/name or hf:owner/name:Q4_K_M ('pollux fetch'), or the name of an"
                            + " embedded model ('pollux models'). Default: " + DocumentTwin.DEFAULT_MODEL + ".")
    private @Nullable String model;

    @Option(
            names = "--weights",
            order = 21,
            paramLabel = "FORM",
            defaultValue = "exact",
            converter = WeightsConverter.class,
            description =
                    "Form of the weights where the model is exported on first use: exact (as stored where that can"
                            + " be, else 8 bits), float, 8bit or 4bit. Default: ${DEFAULT-VALUE}.")
    private WeightFormat weights = WeightFormat.EXACT;

    @Option(
            names = "--adapter",
            order = 22,
            paramLabel = "ADAPTER[=SCALE]",
            description =
                    "A LoRA adapter over the model: a folder in PEFT's form, a GGUF file, or the name of an embedded"
                            + " one ('pollux models'), and by what it is multiplied, 1 where nothing is said. Repeated, adapters are"
                            + " added up.")
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

    @Option(names = "--no-drafting", order = 24, description = "Do not draft tokens by look-up in prompt and output.")
    private boolean noDrafting;

    @Option(
            names = "--draft",
            order = 25,
            paramLabel = "MODEL",
            description =
                    "A smaller model with the same tokenizer that drafts tokens for this one, named as with --model."
                            + " It makes models of some billion weights faster.")
    private @Nullable String draft;

    @Option(
            names = "--kv-cache",
            order = 26,
            paramLabel = "FORMAT",
            defaultValue = "float32",
            description = "Format of keys and values where the model is exported on first use: float32, or float16 in"
                    + " half the memory. Default: ${DEFAULT-VALUE}.")
    private CacheFormat cache = CacheFormat.FLOAT32;

    /** The model named on the command line; empty for the default. */
    Optional<String> named() {
        return Optional.ofNullable(model);
    }

    /** The adapters with the scale of each; embedded ones are unpacked. */
    Map<Path, Double> adapters(PolluxCommand command, ResourceOptions resources) {
        Map<Path, Double> scales = new LinkedHashMap<>();
        given().forEach((adapter, scale) ->
                scales.put(command.run(ModelLocator.locatingAdapter(adapter, resources.cache())), scale));
        return scales;
    }

    private Map<String, Double> given() {
        Map<String, Double> scales = new LinkedHashMap<>();
        for (String adapter : adapters) {
            Matcher parts = ADAPTER.matcher(adapter);
            if (parts.matches()) {
                scales.put(parts.group(1), Double.valueOf(parts.group(2)));
            } else {
                scales.put(adapter, 1.0);
            }
        }
        return scales;
    }

    /** How the model runs. */
    EngineOptions engine(PolluxCommand command, ResourceOptions resources) {
        if (draft != null && noDrafting) {
            throw command.usage("--draft and --no-drafting exclude each other");
        }
        EngineOptions.Builder options = EngineOptions.builder()
                .threads(resources.threads())
                .device(device)
                .adapters(!adapters.isEmpty())
                .drafting(!noDrafting)
                .export(ExportOptions.builder().weights(weights).cache(cache).build())
                .cache(resources.cache());
        if (draft != null) {
            options.draft(locate(draft, command, resources));
        }
        return options.build();
    }

    /** Reports missing files before anything is opened. */
    void check() {
        named().ifPresent(GivenPath::model);
        Optional.ofNullable(draft).ifPresent(GivenPath::model);
        GivenPath.adapters(given().keySet().stream()
                .filter(adapter -> EmbeddedModel.find(adapter).isEmpty())
                .map(Path::of)
                .toList());
    }

    /** Opens the model with its adapters; the first time it is unpacked or fetched, and exported into the cache. */
    Generator open(PolluxCommand command, ResourceOptions resources) {
        check();
        EngineOptions engine = engine(command, resources);
        Path path = locate(named().orElse(DocumentTwin.DEFAULT_MODEL), command, resources);
        return command.run(OnnxGenerator.openJob(path, adapters(command, resources), engine));
    }

    /** Refuses a model without a chat template with {@code advice}, and one whose template fails with the reason. */
    static void requireChat(Generator generator, String advice) {
        if (!generator.info().chat()) {
            try {
                generator.countTokens(Prompt.chat(Message.user("Hello")));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(generator.info().name() + " has no chat template; " + advice, e);
            }
        }
    }

    /** The path of a model that is named by its path, by the hub's name for it, or by the name of an embedded one. */
    static Path locate(String model, PolluxCommand command, ResourceOptions resources) {
        GivenPath.model(model);
        return command.run(ModelLocator.locating(model, resources.cache()));
    }
}
