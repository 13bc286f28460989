package dev.pollux.inference.quantize;

import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.encoder.EncoderTexts;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.quantize.int8.ActivationRuns;
import dev.pollux.inference.quantize.int8.Int8Plan;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizedLayer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The quantization of a model to 8-bit integers without blocks. <em>Confined to one thread.</em> */
final class Int8Quantization {

    private final SourceModel source;
    private final QuantizationRecipe recipe;
    private final QuantizerOptions options;
    private final Graph graph;
    private final Int8Plan plan;

    /**
     * Plans a quantization; weights are not read.
     *
     * @param name names the model in messages
     * @throws UnsupportedModelException if texts are needed and the model is a decoder without a checkpoint
     */
    Int8Quantization(SourceModel source, QuantizationRecipe recipe, String name, QuantizerOptions options) {
        this.source = source;
        this.recipe = recipe;
        this.options = options;
        this.graph = source.graph();
        if (needsTexts()
                && source.kind() == ArtifactManifest.Kind.DECODER
                && source.decoder().isEmpty()) {
            throw new UnsupportedModelException(
                    recipe.method().text() + " with texts needs the checkpoint of a decoder but " + name
                            + " is none; quantize the safetensors or the GGUF file, or use int8 without texts");
        }
        Set<String> readable = needsTexts()
                ? source.decoder()
                        .map(decoder -> runs(decoder, List.of()).readable())
                        .orElse(Set.of())
                : Set.of();
        boolean all = source.decoder().isEmpty();
        this.plan = Int8Plan.of(graph, recipe, name, value -> all || readable.contains(value));
    }

    private boolean needsTexts() {
        return Int8Plan.needsTexts(recipe);
    }

    private LayerRuns runs(DecoderCheckpoint decoder, List<int[]> windows) {
        int longest = windows.stream().mapToInt(window -> window.length).max().orElse(1);
        return LayerRuns.of(decoder, graph, windows, longest, options.threads());
    }

    QuantizationPreview preview() {
        long largest = plan.layers().stream()
                .mapToLong(QuantizedLayer::bytesBefore)
                .max()
                .orElse(0);
        long texts = !needsTexts()
                ? 0
                : source.decoder()
                        .map(decoder -> LayerwiseMemory.running(decoder, recipe))
                        .orElse(2 * plan.bytesBefore());
        return new QuantizationPreview(
                plan.layers(), plan.kept(), plan.bytesBefore(), plan.bytesAfter(), 3 * largest + texts, List.of());
    }

    List<QuantizedLayer> write(WorkFolder work, long recordStep, JobContext context) {
        Path folder = work.path();
        try (Resumption resumption = Resumption.of(work, source.graphFile(folder), recordStep)) {
            if (resumption.count() > 0) {
                context.notice(resumption.count() + " of " + plan.layers().size()
                        + " matrices are taken over from a run that was interrupted");
            }
            Graph rewritten = plan.rewritten(texts(context), resumption, context);
            resumption.layout(rewritten);
            Map<String, Object> provenance = Map.of(
                    "weights",
                    recipe.method().text(),
                    "matrices",
                    Map.of(recipe.method().text(), plan.layers().size()));
            source.write(folder, original -> rewritten, provenance);
            return plan.measuredLayers();
        }
    }

    private Optional<ActivationRuns> texts(JobContext context) {
        if (!needsTexts()) {
            return Optional.empty();
        }
        Optional<DecoderCheckpoint> decoder = source.decoder();
        if (decoder.isPresent()) {
            CalibrationData data = recipe.calibration();
            return Optional.of(runs(decoder.get(), CachedWindows.read(options, decoder.get(), data, context)));
        }
        EncoderTexts texts =
                EncoderTexts.of(source.folder(), recipe.calibration().texts());
        return Optional.of(plan.runs(source.files().get(0), texts, options.threads()));
    }
}
