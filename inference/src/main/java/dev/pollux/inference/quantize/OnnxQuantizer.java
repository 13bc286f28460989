package dev.pollux.inference.quantize;

import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.graph.Graph;
import dev.pollux.internal.Sha256;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import dev.pollux.quantization.Quantizer;
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
 * do not depend on threads or memory. A failed or cancelled job leaves nothing behind.
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

    private final QuantizerOptions options;

    private OnnxQuantizer(QuantizerOptions options) {
        this.options = options;
    }

    /** A quantizer with default options. */
    public static OnnxQuantizer create() {
        return create(QuantizerOptions.DEFAULTS);
    }

    /** A quantizer. */
    public static OnnxQuantizer create(QuantizerOptions options) {
        return new OnnxQuantizer(options);
    }

    @Override
    public QuantizationPreview plan(Path model, QuantizationRecipe recipe) {
        try (SourceModel source = SourceModel.open(model)) {
            return planned(source, recipe, model).preview();
        }
    }

    /** Writes the files of the result, and gives the weights with their errors. */
    @FunctionalInterface
    private interface Writing {
        List<QuantizedLayer> write(Path folder, JobContext context);
    }

    private record Planned(QuantizationPreview preview, Writing writing) {}

    private Planned planned(SourceModel source, QuantizationRecipe recipe, Path model) {
        if (recipe.method().isInteger()) {
            Int8Quantization int8 = new Int8Quantization(source, recipe, model.toString(), options.threads());
            return new Planned(int8.preview(), int8::write);
        }
        GraphPlan plan = GraphPlanner.plan(source.graph(), recipe, model.toString());
        QuantizationPreview preview = new QuantizationPreview(
                plan.layers(), plan.kept(), plan.bytesBefore(), plan.bytesAfter(), memory(plan), plan.notices());
        return new Planned(preview, (folder, context) -> write(source, plan, folder, context));
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
                List<QuantizedLayer> layers = WorkFolder.publish(target, context, part -> {
                    manifest(source, recipe, context).write(part);
                    return planned.writing().write(part, context);
                });
                return new QuantizationReport(
                        target,
                        recipe,
                        layers,
                        plan.kept(),
                        plan.bytesBefore(),
                        plan.bytesAfter(),
                        plan.notices(),
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
            manifest.option("range", recipe.range());
            manifest.option("calibration", Sha256.of(String.join("\u0000", recipe.calibration())));
        }
        if (options.hashInputs()) {
            manifest.inputs(ArtifactCache.hashed(source.files(), context));
        }
        return manifest.build();
    }

    private List<QuantizedLayer> write(SourceModel source, GraphPlan plan, Path folder, JobContext context) {
        try (Workers workers = Workers.start("quantize", options.threads(), context)) {
            QuantizationRun run = new QuantizationRun(
                    context, workers, options.threads(), options.memory(), plan.bytesToRead(), new AtomicLong());
            Map<MatrixPlan, QuantizedWeight> weights = new LinkedHashMap<>();
            plan.plans().forEach(one -> weights.put(one, QuantizedWeight.of(one, plan.recipe(), run)));
            Graph rewritten = plan.rewritten(weights);
            source.write(folder, graph -> rewritten, provenance(plan));
            List<QuantizedLayer> layers = new ArrayList<>();
            weights.forEach((one, made) -> layers.add(one.layer().withRelativeError(made.relativeError())));
            return layers;
        }
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
