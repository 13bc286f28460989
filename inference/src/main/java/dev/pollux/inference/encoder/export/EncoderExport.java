package dev.pollux.inference.encoder.export;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.ShapeMismatchException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.internal.layer.LayerProgress;
import dev.pollux.inference.internal.masked.Operators;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes an encoder or cross-encoder checkpoint, {@code config.json} and safetensors as transformers saves them, as an ONNX
 * graph.
 *
 * <p>The folder written holds {@code model.onnx} and its data; inputs {@code input_ids} and
 * {@code attention_mask}, and {@code token_type_ids} where the family has them, (batch, tokens); output
 * {@code last_hidden_state} (batch, tokens, width), or {@code logits} (batch, labels) of a class for sequence classification.
 * Padding may stand on either side: in floats a row's result is that of the row alone. Everything is checked before the first byte is
 * written.
 *
 * <p>{@link dev.pollux.inference.encoder.OnnxEmbedder} and {@link dev.pollux.inference.encoder.OnnxReranker} do this
 * themselves. <em>Thread-safe.</em>
 */
public final class EncoderExport {

    /** The file with the graph. */
    public static final String MODEL_FILE = "model.onnx";

    /** Changed whenever the same checkpoint would give another graph. */
    private static final int FORMAT = 1;

    private final Path folder;
    private final ConfigReader config;
    private final Families.Choice choice;
    private final TensorFile tensors;
    private final EncoderWeights weights;

    private EncoderExport(Path folder, ConfigReader config, TensorFile tensors, EncoderWeights weights) {
        this.folder = folder;
        this.config = config;
        this.choice = Families.of(config);
        this.tensors = tensors;
        this.weights = weights;
    }

    /** Whether {@code folder} holds what can be exported: a configuration and safetensors. */
    public static boolean isCheckpoint(Path folder) {
        return Files.isRegularFile(folder.resolve("config.json")) && SafetensorsFolder.isIn(folder);
    }

    /** Whether {@code folder} holds a checkpoint of an architecture that is known here. */
    public static boolean isKnown(Path folder) {
        try {
            return isCheckpoint(folder)
                    && !Families.of(configuration(folder)).architecture().isEmpty();
        } catch (UnsupportedModelException e) {
            return false;
        }
    }

    /**
     * The class of transformers that the checkpoint in {@code folder} is of, such as {@code BertModel}.
     *
     * @throws UnsupportedModelException if it is not known
     */
    public static String architecture(Path folder) {
        return Families.of(configuration(folder)).architecture();
    }

    /**
     * What {@link #export} would do, without reading matrices or writing anything; fails as it does.
     *
     * @param weights how matrices would be held
     */
    public static EncoderReport preview(Path folder, EncoderWeights weights) {
        long begin = System.nanoTime();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            EncoderExport export = new EncoderExport(folder, configuration(folder), tensors, weights);
            return export.report(export.lowered(), begin);
        }
    }

    /**
     * Whether the checkpoint in {@code folder} gives scores of texts and not vectors of tokens.
     *
     * @throws UnsupportedModelException if its architecture is not known
     */
    public static boolean givesScores(Path folder) {
        return Families.of(configuration(folder)).scores();
    }

    /**
     * Writes {@code target}, a folder that must not exist; it appears when it is complete.
     *
     * @param weights how matrices are held
     * @return a job that reports layers and can be cancelled between weights; it throws {@link UnsupportedModelException} if
     *     the architecture is not known, something in the configuration is not supported or a tensor has no place, and
     *     {@link MalformedFileException} if a file is damaged or a tensor missing or of another shape
     */
    public static Job<EncoderReport> export(Path folder, Path target, EncoderWeights weights) {
        return Job.of("export", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
                EncoderExport export = new EncoderExport(folder, configuration(folder), tensors, weights);
                Lowered lowered = export.lowered();
                return WorkFolder.publish(target, context, part -> {
                    export.manifest(ArtifactCache.hashed(sources(folder, tensors), context))
                            .write(part);
                    return export.write(lowered, part, context);
                });
            }
        });
    }

    /**
     * The exported folder of a checkpoint in a cache, written now if it is not there; the key is the content of its
     * configuration and weights, and how these are held. Fails as {@link #export} does.
     */
    public static Path cached(Path folder, EncoderWeights weights, Path cache, JobContext context) {
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            EncoderExport export = new EncoderExport(folder, configuration(folder), tensors, weights);
            Lowered lowered = export.lowered();
            ArtifactCache artifacts = artifacts(cache);
            List<Path> sources = sources(folder, tensors);
            return artifacts.folder(
                    sources,
                    "encoder-" + FORMAT + "-" + weights.key(),
                    part -> {
                        export.manifest(artifacts.inputs(sources, context)).write(part);
                        return export.write(lowered, part, context);
                    },
                    context);
        }
    }

    /**
     * A name for the content of the checkpoint in {@code folder}: SHA-256 of the configuration and the weights, 64 digits of
     * hexadecimal. It is remembered in {@code cache} until a file changes.
     */
    public static String contentHash(Path folder, Path cache, JobContext context) {
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            return artifacts(cache).contentHash(sources(folder, tensors), context);
        }
    }

    /**
     * The graph that {@link #export} writes, for the time that {@code tensors}, the opened folder, is open; fails as it does.
     *
     * @param weights how matrices are held
     */
    public static Graph graph(Path folder, SafetensorsFolder tensors, EncoderWeights weights) {
        return new EncoderExport(folder, configuration(folder), tensors, weights)
                .lowered()
                .graph();
    }

    /**
     * The graph of a checkpoint with other tensors and some other settings, such as those of a new head.
     *
     * @param settings what {@code config.json} is to have in place of what it has
     * @param tensors all tensors, open as long as the graph is used
     */
    public static Graph graph(Path folder, Map<String, ?> settings, TensorFile tensors) {
        ObjectNode changed = JsonFile.object(folder.resolve("config.json"))
                .orElseThrow(() ->
                        new MalformedFileException(folder + " has no config.json; it is not the folder of a model"));
        settings.forEach((key, value) -> changed.set(key, JsonNode.of(value)));
        ConfigReader config = new ConfigReader(folder.resolve("config.json"), changed);
        return new EncoderExport(folder, config, tensors, EncoderWeights.FLOAT)
                .lowered()
                .graph();
    }

    private static List<Path> sources(Path folder, SafetensorsFolder tensors) {
        return Stream.concat(Stream.of(folder.resolve("config.json")), tensors.files().stream())
                .toList();
    }

    private static ArtifactCache artifacts(Path cache) {
        return ArtifactCache.in(cache.resolve("exports"), MODEL_FILE);
    }

    private static ConfigReader configuration(Path folder) {
        Path file = folder.resolve("config.json");
        JsonNode json = JsonFile.read(file)
                .orElseThrow(() ->
                        new MalformedFileException(folder + " has no config.json; it is not the folder of a model"));
        if (json.path("quantization_config").isObject()) {
            throw new UnsupportedModelException(file + ": quantized weights ('"
                    + json.path("quantization_config").path("quant_method").asString("unknown")
                    + "') are not supported for encoders; use the original model");
        }
        return new ConfigReader(file, json);
    }

    /**
     * The graph before it is written: nothing but headers has been read.
     *
     * @param weightsUpTo how many weights there are up to the end of each layer
     */
    private record Lowered(Graph graph, StoredTensors stored, List<Integer> weightsUpTo) {}

    /** The whole model; fails if it is not whole or has too much. */
    private Lowered lowered() {
        StoredTensors stored = StoredTensors.of(folder.toString(), tensors, choice.anchor());
        GraphBuilder graph = GraphBuilder.create();
        List<Integer> weightsUpTo = new ArrayList<>();
        try {
            build(graph, choice.maker().make(new EncoderOperators(graph, stored, weights), config), weightsUpTo);
        } catch (ShapeMismatchException e) {
            throw new MalformedFileException(
                    folder + ": " + e.getMessage() + "; the configuration and the weights do not belong together", e);
        }
        stored.refuseSurplus(choice.architecture(), choice.architecture().endsWith("ForMaskedLM"));
        return new Lowered(graph.build(), stored, weightsUpTo);
    }

    private ArtifactManifest manifest(List<ArtifactManifest.Input> inputs) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.ENCODER, "export")
                .inputs(inputs)
                .option("weights", weights)
                .build();
    }

    private void build(GraphBuilder graph, Family family, List<Integer> weightsUpTo) {
        graph.input(Operators.IDS);
        graph.input(Operators.MASK);
        if (family.readsTypes()) {
            graph.input(Operators.TYPES);
        }
        Value x = family.embed();
        for (int layer = 0; layer < family.layers(); layer++) {
            x = family.layer(layer, x);
            weightsUpTo.add(graph.weightCount());
        }
        x = family.finish(x);
        if (choice.scores()) {
            x = family.logits(x);
            graph.output(output(), ElementType.FLOAT, "batch", "labels");
        } else {
            graph.output(output(), ElementType.FLOAT, "batch", "tokens", "width");
        }
        graph.op("Identity", output(), x);
    }

    private EncoderReport write(Lowered lowered, Path part, JobContext context) {
        long begin = System.nanoTime();
        context.checkCancelled();
        LayerProgress progress = new LayerProgress(context, lowered.weightsUpTo());
        GraphWriter.write(lowered.graph(), part.resolve(MODEL_FILE), progress);
        return report(lowered, begin);
    }

    private EncoderReport report(Lowered lowered, long begin) {
        return new EncoderReport(
                choice.architecture(),
                output(),
                lowered.stored().usedCount(),
                GraphWriter.dataBytes(lowered.graph()),
                Duration.ofNanos(System.nanoTime() - begin));
    }

    private String output() {
        return choice.scores() ? "logits" : "last_hidden_state";
    }
}
