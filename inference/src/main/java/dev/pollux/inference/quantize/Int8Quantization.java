package dev.pollux.inference.quantize;

import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.encoder.EncoderTexts;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.quantize.int8.Int8Plan;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizedLayer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The quantization of a model to 8-bit integers without blocks. <em>Confined to one thread.</em> */
final class Int8Quantization {

    private final SourceModel source;
    private final QuantizationRecipe recipe;
    private final int threads;
    private final Int8Plan plan;

    /**
     * Plans a quantization; weights are not read.
     *
     * @param name names the model in messages
     * @param threads of a run of the float model
     * @throws UnsupportedModelException if the method is {@code int8-static} and the model is a decoder
     */
    Int8Quantization(SourceModel source, QuantizationRecipe recipe, String name, int threads) {
        this.source = source;
        this.recipe = recipe;
        this.threads = threads;
        if (isStatic() && source.kind() == ArtifactManifest.Kind.DECODER) {
            throw new UnsupportedModelException(
                    "int8-static needs an embedder or a reranker, but " + name + " is a decoder; use int8");
        }
        this.plan = Int8Plan.of(source.graph(), recipe, name);
    }

    private boolean isStatic() {
        return recipe.method() == QuantizationMethod.INT8_STATIC;
    }

    QuantizationPreview preview() {
        long largest = plan.layers().stream()
                .mapToLong(QuantizedLayer::bytesBefore)
                .max()
                .orElse(0);
        long memory = 3 * largest + (isStatic() ? 2 * plan.bytesBefore() : 0);
        return new QuantizationPreview(
                plan.layers(), plan.kept(), plan.bytesBefore(), plan.bytesAfter(), memory, List.of());
    }

    List<QuantizedLayer> write(Path folder, JobContext context) {
        Graph graph = isStatic() ? calibrated(context) : plan.rewritten(context);
        Map<String, Object> provenance = Map.of(
                "weights",
                recipe.method().text(),
                "matrices",
                Map.of(recipe.method().text(), plan.layers().size()));
        source.write(folder, original -> graph, provenance);
        return plan.measuredLayers();
    }

    private Graph calibrated(JobContext context) {
        EncoderTexts texts =
                EncoderTexts.of(source.folder(), recipe.calibration().texts());
        return plan.rewritten(source.files().get(0), texts, threads, context);
    }
}
