package dev.pollux.inference.decoder;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.internal.architecture.Architectures;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;

/**
 * Exports a checkpoint as an ONNX graph for the engine.
 *
 * <p>{@link #export} writes one folder. {@link #cached} exports into a cache once and reuses the result.
 * <em>Thread-safe.</em>
 */
public final class DecoderExport {

    /** The version of the export, raised with each change that makes cached exports stale. */
    private static final int REVISION = 4;

    private DecoderExport() {}

    /** The supported values of {@code architectures} in a configuration, sorted. */
    public static List<String> architectures() {
        return Architectures.known();
    }

    /**
     * Exports into {@code target}, a folder that must not exist. It appears only when complete.
     *
     * @return a job that reports layers and can be cancelled between weights
     */
    public static Job<ExportReport> export(Checkpoint checkpoint, Path target, ExportOptions options) {
        return Job.of("export", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            // reports faults of the checkpoint before anything is written
            LoweredDecoder lowered = LoweredDecoder.of(checkpoint, options);
            return WorkFolder.publish(target, context, part -> {
                try (Workers workers = Workers.start("export", 1, context)) {
                    Future<List<ArtifactManifest.Input>> inputs =
                            workers.submit(() -> ArtifactCache.hashed(checkpoint.files(), workers.job()));
                    ExportReport report = write(checkpoint, lowered, part, context);
                    manifest(workers.await(inputs, () -> {}), options).write(part);
                    return report;
                }
            });
        });
    }

    /**
     * Predicts the result of {@link #export} without reading matrices or writing anything: the exact bytes of weights, and
     * the format of each kind of matrix.
     */
    public static ExportReport preview(Checkpoint checkpoint, ExportOptions options) {
        long begin = System.nanoTime();
        return LoweredDecoder.of(checkpoint, options).report(begin);
    }

    /** Predicts {@link DecoderManifest#projections} of {@link #export}; writes nothing. */
    public static List<Projection> projections(Checkpoint checkpoint, ExportOptions options) {
        return LoweredDecoder.of(checkpoint, options).projections();
    }

    /**
     * Returns the folder of {@code checkpoint} in a cache, and exports it first if it is missing.
     *
     * <p>The key consists of the content of the checkpoint, the options, and the version of the layout. Processes that
     * request the same folder wait for each other.
     */
    public static Path cached(Checkpoint checkpoint, ExportOptions options, Path cache, JobContext context) {
        String variant = DecoderManifest.FORMAT + "." + REVISION + "-"
                + options.weights().name().toLowerCase(Locale.ROOT).replace('_', '-') + "-b"
                + options.blockSize() + "-c" + options.maxContext()
                + (options.wholeCache() ? "-whole" : "")
                + (options.cache() == CacheFormat.FLOAT32
                        ? ""
                        : "-" + options.cache().name().toLowerCase(Locale.ROOT));
        ArtifactCache artifacts = ArtifactCache.in(cache.resolve("exports"), DecoderManifest.FILE);
        return artifacts.folder(
                checkpoint.files(),
                variant,
                part -> {
                    LoweredDecoder lowered = LoweredDecoder.of(checkpoint, options);
                    manifest(artifacts.inputs(checkpoint.files(), context), options)
                            .write(part);
                    ExportReport report = write(checkpoint, lowered, part, context);
                    report.notices().forEach(context::notice);
                    return report;
                },
                context);
    }

    /** The graph that {@link #export} writes; only headers and small tensors are read, and nothing is written. */
    public static Graph graph(Checkpoint checkpoint, ExportOptions options) {
        return LoweredDecoder.of(checkpoint, options).graph();
    }

    /**
     * The matrices of {@link #graph} that are multiplied with values: for the name of each weight, the stored matrices that are
     * stacked in it. Tables of embeddings and a head that shares one are left out.
     *
     * @param options with weights in floats
     */
    public static Map<String, List<String>> matrices(Checkpoint checkpoint, ExportOptions options) {
        return LoweredDecoder.of(checkpoint, options).matricesOfWeights();
    }

    /**
     * Writes an export into an existing folder, with a graph that is rewritten first.
     *
     * @param rewrite receives the graph and returns one with the same inputs and outputs
     * @param provenance further facts for {@link DecoderManifest#provenance()}
     */
    public static void write(
            Checkpoint checkpoint,
            ExportOptions options,
            Path folder,
            UnaryOperator<Graph> rewrite,
            Map<String, Object> provenance) {
        LoweredDecoder lowered = LoweredDecoder.of(checkpoint, options);
        GraphWriter.write(rewrite.apply(lowered.graph()), folder.resolve(DecoderManifest.MODEL_FILE));
        writeTexts(checkpoint, folder);
        Map<String, Object> facts = provenance(checkpoint, lowered);
        facts.putAll(provenance);
        writeManifest(checkpoint, lowered, facts, folder);
    }

    private static ArtifactManifest manifest(List<ArtifactManifest.Input> inputs, ExportOptions options) {
        ArtifactManifest.Builder builder = ArtifactManifest.builder(ArtifactManifest.Kind.DECODER, "export")
                .inputs(inputs)
                .option("weights", options.weights())
                .option("blockSize", options.blockSize())
                .option("maxContext", options.maxContext());
        if (options.wholeCache()) {
            builder.option("wholeCache", true);
        }
        if (options.cache() != CacheFormat.FLOAT32) {
            builder.option("cache", options.cache());
        }
        return builder.build();
    }

    private static ExportReport write(Checkpoint checkpoint, LoweredDecoder lowered, Path folder, JobContext context) {
        long begin = System.nanoTime();
        lowered.write(folder.resolve(DecoderManifest.MODEL_FILE), context);
        writeTexts(checkpoint, folder);
        writeManifest(checkpoint, lowered, provenance(checkpoint, lowered), folder);
        return lowered.report(begin);
    }

    private static Map<String, Object> provenance(Checkpoint checkpoint, LoweredDecoder lowered) {
        Map<String, Object> provenance = new TreeMap<>();
        provenance.put("source", checkpoint.path().getFileName().toString());
        provenance.put("weights", lowered.options().weights().name());
        provenance.put("matrices", new TreeMap<>(lowered.matrices()));
        provenance.put("notices", lowered.notices());
        provenance.put(DecoderManifest.PARAMETERS, checkpoint.parameters());
        return provenance;
    }

    private static void writeManifest(
            Checkpoint checkpoint, LoweredDecoder lowered, Map<String, Object> provenance, Path folder) {
        ModelConfig config = checkpoint.config();
        new DecoderManifest(
                        DecoderManifest.FORMAT,
                        config.name(),
                        config.architecture(),
                        config.vocabularySize(),
                        lowered.contextLength(),
                        checkpoint.endTokens(),
                        checkpoint.specialTokens().bos(),
                        checkpoint.specialTokens().eos(),
                        lowered.states(),
                        lowered.rotarySwitch(),
                        config.headDim(),
                        checkpoint.sampling(),
                        lowered.projections(),
                        provenance)
                .write(folder);
    }

    private static void writeTexts(Checkpoint checkpoint, Path folder) {
        try {
            Optional<Tokenizer> tokenizer = checkpoint.tokenizer();
            if (tokenizer.isPresent()) {
                try (Tokenizer open = tokenizer.get()) {
                    Files.writeString(folder.resolve(DecoderManifest.TOKENIZER_FILE), open.toJson());
                }
            }
            if (checkpoint.chatTemplate().isPresent()) {
                Files.writeString(
                        folder.resolve(DecoderManifest.TEMPLATE_FILE),
                        checkpoint.chatTemplate().get());
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write the tokenizer into " + folder + ": " + e, e);
        }
    }
}
