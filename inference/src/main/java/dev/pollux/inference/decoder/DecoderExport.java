package dev.pollux.inference.decoder;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.decoder.ExportReport.StepCost;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.ArtifactCache;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.DerivedTensors;
import dev.pollux.inference.internal.layer.WeightWriter;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;

/**
 * Writes a checkpoint as an ONNX graph that the engine runs.
 *
 * <p>{@link #export} writes one folder; {@link #cached} writes it once into a cache and finds it there ever after.
 * <em>Thread-safe.</em>
 */
public final class DecoderExport {

    /** Which export of one checkpoint this is: raised with every change after which one in a cache would be stale. */
    private static final int REVISION = 2;

    private DecoderExport() {}

    /** What {@code architectures} of a configuration may say, sorted. */
    public static List<String> architectures() {
        return Families.known();
    }

    /**
     * Writes {@code target}, a folder that must not exist; it appears when it is complete.
     *
     * @return a job that reports layers and can be cancelled between them
     */
    public static Job<ExportReport> export(Checkpoint checkpoint, Path target, ExportOptions options) {
        return Job.of("export", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            preview(checkpoint, options); // what is wrong with the checkpoint shows before anything is written
            return ArtifactCache.publish(
                    target,
                    part -> {
                        manifest(ArtifactCache.hashed(checkpoint.files(), context), options)
                                .write(part);
                        return write(checkpoint, part, options, context);
                    },
                    context);
        });
    }

    /**
     * What {@link #export} would do, without reading matrices or writing anything: the bytes of weights it would write,
     * exactly, and what would become of each kind of matrix.
     */
    public static ExportReport preview(Checkpoint checkpoint, ExportOptions options) {
        long begin = System.nanoTime();
        return measured(checkpoint, options, (graph, blocks) -> report(graph, blocks, begin));
    }

    /** The matrices of what {@link #export} would write, as {@link DecoderManifest#projections} has them; writes nothing. */
    public static List<Projection> projections(Checkpoint checkpoint, ExportOptions options) {
        return measured(checkpoint, options, (graph, blocks) -> List.copyOf(blocks.weights.projections()));
    }

    /** Takes all steps of an export but writes nothing. */
    private static <R> R measured(
            Checkpoint checkpoint, ExportOptions options, BiFunction<GraphWriter, Blocks, R> result) {
        try (GraphWriter graph = GraphWriter.measuring()) {
            Blocks blocks = blocks(checkpoint, graph, options);
            writeGraph(blocks, JobContext.NONE);
            return result.apply(graph, blocks);
        }
    }

    /**
     * The folder of {@code checkpoint} in a cache, exported now if it is not there.
     *
     * <p>The key is the content of the checkpoint, the options, and the version of this layout. Two processes that want the
     * same folder wait for one another.
     */
    public static Path cached(Checkpoint checkpoint, ExportOptions options, Path cache, JobContext context) {
        String variant = DecoderManifest.FORMAT + "." + REVISION + "-"
                + options.weights().name().toLowerCase(Locale.ROOT).replace('_', '-') + "-b"
                + options.blockSize() + "-c" + options.maxContext();
        ArtifactCache artifacts = ArtifactCache.in(cache.resolve("exports"), DecoderManifest.FILE);
        return artifacts.folder(
                checkpoint.files(),
                variant,
                part -> {
                    preview(checkpoint, options);
                    manifest(artifacts.inputs(checkpoint.files(), context), options)
                            .write(part);
                    ExportReport report = write(checkpoint, part, options, context);
                    report.notices().forEach(context::notice);
                    return report;
                },
                context);
    }

    private static ArtifactManifest manifest(List<ArtifactManifest.Input> inputs, ExportOptions options) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.DECODER, "export")
                .inputs(inputs)
                .option("weights", options.weights())
                .option("blockSize", options.blockSize())
                .option("maxContext", options.maxContext())
                .build();
    }

    private static ExportReport write(Checkpoint checkpoint, Path folder, ExportOptions options, JobContext context) {
        long begin = System.nanoTime();
        ModelConfig config = checkpoint.config();
        try (GraphWriter graph = GraphWriter.create(folder.resolve(DecoderManifest.MODEL_FILE))) {
            Blocks blocks = blocks(checkpoint, graph, options);
            WeightWriter weights = blocks.weights;
            writeGraph(blocks, context);
            graph.finish();
            writeTexts(checkpoint, folder);
            Map<String, Object> provenance = new TreeMap<>();
            provenance.put("source", checkpoint.path().getFileName().toString());
            provenance.put("weights", options.weights().name());
            provenance.put("matrices", new TreeMap<>(weights.counts()));
            provenance.put("notices", weights.notices());
            provenance.put(DecoderManifest.PARAMETERS, checkpoint.parameters());
            new DecoderManifest(
                            DecoderManifest.FORMAT,
                            config.name(),
                            config.architecture(),
                            config.vocabularySize(),
                            blocks.contextLength,
                            checkpoint.endTokens(),
                            checkpoint.specialTokens().bos(),
                            checkpoint.specialTokens().eos(),
                            blocks.states(),
                            blocks.rotarySwitch(),
                            config.headDim(),
                            checkpoint.sampling(),
                            weights.projections(),
                            provenance)
                    .write(folder);
            return report(graph, blocks, begin);
        }
    }

    private static Blocks blocks(Checkpoint checkpoint, GraphWriter graph, ExportOptions options) {
        DerivedTensors tensors = new DerivedTensors(checkpoint.tensors());
        WeightWriter weights = new WeightWriter(graph, tensors, options.weights(), options.blockSize());
        int contextLength = Math.min(checkpoint.config().contextLength(), options.maxContext());
        return new Blocks(checkpoint.config(), checkpoint.settings(), tensors, graph, weights, contextLength);
    }

    private static void writeGraph(Blocks blocks, JobContext context) {
        Families.of(blocks).write(context);
        blocks.tensors.refuseSurplus(blocks.config.architecture());
    }

    private static ExportReport report(GraphWriter graph, Blocks blocks, long begin) {
        WeightWriter weights = blocks.weights;
        long cacheBytes = 0;
        long stateBytes = 0;
        for (StateTensor state : blocks.states()) {
            long bytes = Math.abs(
                    state.shape().stream().mapToLong(Integer::longValue).reduce(Float.BYTES, (a, b) -> a * b));
            if (state.kind() == Kind.KEY_VALUE) {
                cacheBytes += bytes;
            } else {
                stateBytes += bytes;
            }
        }
        return new ExportReport(
                graph.bytesWritten(),
                weights.counts(),
                weights.notices(),
                new StepCost(weights.stepBytes(), weights.stepWeights(), cacheBytes, stateBytes),
                Duration.ofNanos(System.nanoTime() - begin));
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
