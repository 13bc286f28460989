package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.calibration.PassageHashes;
import dev.pollux.inference.graph.Graph;
import dev.pollux.internal.Sha256;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import dev.pollux.quantization.Quantizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Quantizes models to ONNX.
 *
 * <p>A model is an exported folder, an ONNX file or a folder with one (whoever made it), or a checkpoint: safetensors with a
 * configuration, or GGUF. A checkpoint is exported with float weights, which are quantized as they are read; no float model is
 * written. These weights are quantized:
 *
 * <pre>
 * MatMul with a constant second factor, also through Transpose   MatMulNBits
 * Gemm with a constant second factor                             MatMulNBits with bias
 * Gather of rows of a constant table                             GatherBlockQuantized
 * a table that is also such a factor                             one set of codes for both
 * </pre>
 *
 * <p>The methods {@code int8} and {@code int8-static} write products of 8-bit integers in place of these operators: {@code
 * MatMulInteger} with {@code DynamicQuantizeLinear}, or {@code QuantizeLinear} and {@code DequantizeLinear} with ranges that were
 * measured on texts.
 *
 * <p>Everything else stays in float and is listed with its reason in {@link QuantizationReport#kept}: other operators, weights
 * of subgraphs, routers of experts.
 *
 * <p>Weights are read in windows that fit the memory budget, and external data is written as it is made. The bytes of the result
 * do not depend on threads or memory. A failed or cancelled job leaves nothing behind. If the process is killed, a hidden folder
 * beside the target stays; the next run with the same model, recipe and target takes over its finished matrices.
 *
 * <pre>{@code
 * Quantizer quantizer = OnnxQuantizer.create();
 * QuantizationReport report = quantizer.quantize(Path.of("model"), Path.of("model-4bit"), QuantizationRecipe.DEFAULTS)
 *         .run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class OnnxQuantizer implements Quantizer {

    /** Bytes between two records of finished matrices. */
    private static final long RECORD_STEP = 16L << 20;

    private final QuantizerOptions options;
    private final long recordStep;

    private OnnxQuantizer(QuantizerOptions options, long recordStep) {
        this.options = options;
        this.recordStep = recordStep;
    }

    /** A quantizer with default options. */
    public static OnnxQuantizer create() {
        return create(QuantizerOptions.DEFAULTS);
    }

    /** A quantizer. */
    public static OnnxQuantizer create(QuantizerOptions options) {
        return create(options, RECORD_STEP);
    }

    /** @param recordStep bytes between two records of finished matrices, for tests */
    static OnnxQuantizer create(QuantizerOptions options, long recordStep) {
        return new OnnxQuantizer(options, recordStep);
    }

    /**
     * Whether a model is a folder with an encoder of texts: a checkpoint of an embedder or reranker, or an ONNX graph with
     * {@code input_ids} that is no decoder. Such models lose much at 4 bits and little at 8.
     */
    public static boolean isEncoder(Path model) {
        if (!Files.isDirectory(model)) {
            return false;
        }
        if (!OnnxModelFiles.isAt(model)) {
            return SourceModel.isEncoder(model);
        }
        if (ProbeSession.isDecoder(model)) {
            return false;
        }
        try (SourceModel source = new OnnxModelFiles(model)) {
            return source.graph().inputs().stream()
                    .anyMatch(input -> input.name().equals("input_ids"));
        }
    }

    @Override
    public QuantizationPreview plan(Path model, QuantizationRecipe recipe) {
        try (SourceModel source = SourceModel.open(model)) {
            return planned(source, recipe, model).preview();
        }
    }

    /**
     * Estimates how long {@link #quantize} takes, from a sample of the weights that is quantized. Without hashing and, of methods
     * that run the model, without the runs.
     *
     * @throws IllegalArgumentException as {@link #plan} does
     */
    public Duration estimate(Path model, QuantizationRecipe recipe) {
        try (SourceModel source = SourceModel.open(model)) {
            if (recipe.method().isInteger()) {
                return TimeEstimate.copying(
                        planned(source, recipe, model).preview().bytesBefore());
            }
            return TimeEstimate.of(GraphPlanner.plan(source.graph(), recipe, model.toString()), options);
        }
    }

    /** Writes the files of the result, and gives the weights with their errors. */
    @FunctionalInterface
    private interface Writing {
        Written write(WorkFolder work, JobContext context);
    }

    /** What was written, with notices that were not known before. */
    private record Written(List<QuantizedLayer> layers, List<String> notices) {}

    private record Planned(QuantizationPreview preview, Writing writing) {}

    private Planned planned(SourceModel source, QuantizationRecipe recipe, Path model) {
        if (recipe.method().isInteger()) {
            Int8Quantization int8 = new Int8Quantization(source, recipe, model.toString(), options);
            return new Planned(
                    int8.preview(), (work, context) -> new Written(int8.write(work, recordStep, context), List.of()));
        }
        if (recipe.method().runsLayerByLayer() && source.decoder().isEmpty()) {
            throw new UnsupportedModelException(recipe.method().text() + " needs the checkpoint of a decoder but "
                    + model + " is none; quantize the safetensors or the GGUF file, or use search");
        }
        GraphPlan plan = GraphPlanner.plan(source.graph(), recipe, model.toString());
        long memory = memory(plan)
                + (recipe.method().runsLayerByLayer()
                        ? LayerwiseMemory.of(source.decoder().orElseThrow(), recipe, options.memory())
                        : 0);
        QuantizationPreview preview = new QuantizationPreview(
                plan.layers(), plan.kept(), plan.bytesBefore(), plan.bytesAfter(), memory, plan.notices());
        return new Planned(preview, (work, context) -> write(source, plan, work, context));
    }

    private long memory(GraphPlan plan) {
        long held = plan.plans().stream()
                .filter(one -> !one.uses().isEmpty())
                .mapToLong(one -> recipeHeld(plan, one))
                .max()
                .orElse(0);
        return Math.min(options.memory(), plan.bytesToRead() * 3) + held;
    }

    /** Bytes of a matrix that are held until they are written after its codes. */
    private static long recipeHeld(GraphPlan plan, MatrixPlan one) {
        boolean whole = plan.recipe().form() == QuantizationRecipe.Form.QDQ;
        return whole ? one.bytesAfter() : one.bytesAfter() - (long) one.rows() * one.rowBytes();
    }

    @Override
    public Job<QuantizationReport> quantize(Path model, Path target, QuantizationRecipe recipe) {
        return Job.of("quantize", context -> {
            long begin = System.nanoTime();
            checkTarget(model, target);
            try (SourceModel source = SourceModel.open(model)) {
                Planned planned = planned(source, recipe, model);
                QuantizationPreview plan = planned.preview();
                WorkFolder.checkSpace(target, plan.bytesAfter());
                plan.notices().forEach(context::notice);
                ArtifactManifest manifest = manifest(source, recipe, context);
                Written written = WorkFolder.publish(target, digest(manifest, source.files()), context, work -> {
                    Written made = planned.writing().write(work, context);
                    manifest.write(work.path());
                    if (!recipe.calibration().isEmpty()) {
                        PassageHashes.of(recipe.calibration().texts()).write(work.path());
                    }
                    return made;
                });
                written.notices().forEach(context::notice);
                List<String> notices = new ArrayList<>(plan.notices());
                notices.addAll(written.notices());
                return new QuantizationReport(
                        target,
                        recipe,
                        written.layers(),
                        plan.kept(),
                        plan.bytesBefore(),
                        plan.bytesAfter(),
                        notices,
                        Duration.ofNanos(System.nanoTime() - begin));
            }
        });
    }

    /** Checks that the target does not exist and is not inside the model. */
    static void checkTarget(Path model, Path target) {
        if (Files.exists(target)) {
            throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
        }
        Path to = target.toAbsolutePath().normalize();
        if (Files.isDirectory(model) && to.startsWith(model.toAbsolutePath().normalize())) {
            throw new IllegalArgumentException(
                    target + " must not be inside the model " + model + "; choose another folder");
        }
    }

    private ArtifactManifest manifest(SourceModel source, QuantizationRecipe recipe, JobContext context) {
        ArtifactManifest.Builder manifest = ArtifactManifest.builder(source.kind(), "quantize")
                .option("method", recipe.method().text())
                .option("bits", recipe.bits())
                .option("blockSize", recipe.blockSize())
                .option("headBits", recipe.headBits())
                .option("symmetric", recipe.symmetric())
                .option("likeOnnxRuntime", recipe.likeOnnxRuntime())
                .option("int8Activations", recipe.int8Activations())
                .option("form", recipe.form())
                .option(
                        "rules",
                        recipe.rules().stream()
                                .map(rule -> rule.pattern() + "=" + rule.bits() + "/" + rule.blockSize())
                                .toList());
        if (!recipe.calibration().isEmpty()) {
            manifest.option("range", recipe.range())
                    .option("smoothing", recipe.smoothing())
                    .option("windows", recipe.calibration().windows())
                    .option("windowLength", recipe.calibration().windowLength())
                    .option("seed", recipe.calibration().seed())
                    .option("chat", recipe.calibration().chat())
                    .option(
                            "calibration",
                            Sha256.of(String.join("\u0000", recipe.calibration().texts())));
        }
        if (options.hashInputs()) {
            manifest.inputs(options.cache()
                    .map(folder -> CachedWindows.in(folder).inputs(source.files(), context))
                    .orElseGet(() -> ArtifactCache.hashed(source.files(), context)));
        }
        return manifest.build();
    }

    /** Changes with everything that decides the bytes of the result. */
    private static String digest(ArtifactManifest manifest, List<Path> files) {
        StringBuilder text = new StringBuilder(manifest.toString());
        try {
            for (Path file : files) {
                text.append('\n').append(file.toAbsolutePath()).append(' ').append(Files.size(file));
                text.append(' ').append(Files.getLastModifiedTime(file).toMillis());
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read the files of the model: " + e, e);
        }
        return Sha256.of(text.toString());
    }

    private Written write(SourceModel source, GraphPlan plan, WorkFolder work, JobContext context) {
        Path folder = work.path();
        try (Workers workers = Workers.start("quantize", options.threads(), context);
                Resumption resumption = Resumption.of(work, source.graphFile(folder), recordStep)) {
            if (resumption.count() > 0) {
                context.notice(resumption.count() + " of " + plan.plans().size()
                        + " matrices are taken over from a run that was interrupted");
            }
            QuantizationRun plain = new QuantizationRun(
                    context, workers, options.threads(), options.memory(), plan.bytesToRead(), new AtomicLong());
            try (CalibratedWeights calibrated = calibrated(source, plan, plain)) {
                QuantizationRun run = plain.with(calibrated);
                Map<MatrixPlan, QuantizedWeight> weights = new LinkedHashMap<>();
                plan.plans().forEach(one -> weights.put(one, QuantizedWeight.of(one, plan.recipe(), run, resumption)));
                Graph rewritten = plan.rewritten(weights, calibrated.vectors());
                resumption.layout(rewritten);
                source.write(folder, graph -> rewritten, provenance(plan));
                return new Written(
                        weights.values().stream().map(QuantizedWeight::layer).toList(), calibrated.notices());
            }
        }
    }

    private CalibratedWeights calibrated(SourceModel source, GraphPlan plan, QuantizationRun run) {
        if (!plan.recipe().method().runsLayerByLayer()) {
            return CalibratedWeights.NONE;
        }
        DecoderCheckpoint decoder = source.decoder().orElseThrow();
        List<int[]> windows = CachedWindows.read(options, decoder, plan.recipe().calibration(), run.context());
        return LayerwiseQuantization.of(decoder, plan, run, windows);
    }

    private static Map<String, Object> provenance(GraphPlan plan) {
        QuantizationRecipe recipe = plan.recipe();
        Map<String, Integer> forms = new LinkedHashMap<>();
        plan.layers()
                .forEach(layer -> forms.merge(
                        layer.method().text() + " to " + layer.bits() + " bits"
                                + (layer.blockSize() == 0 ? "" : " in blocks of " + layer.blockSize()),
                        1,
                        Integer::sum));
        return Map.of("weights", recipe.method().text(), "matrices", forms, "notices", plan.notices());
    }
}
