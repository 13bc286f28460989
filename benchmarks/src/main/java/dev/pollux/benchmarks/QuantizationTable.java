package dev.pollux.benchmarks;

import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.inference.quantize.QuantizerOptions;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Bytes, perplexity and divergence of a decoder in recipes of many kinds, against its weights in float.
 *
 * <pre>
 * QuantizationTable MODEL HELD-OUT.txt CALIBRATION.txt METHOD:BITS:BLOCK[:symmetric] …
 * </pre>
 *
 * A recipe is written such as {@code gptq:4:32}.
 */
public final class QuantizationTable {

    private static final int THREADS = 2;
    private static final int WINDOWS = 64;
    private static final int WINDOW = 256;

    private QuantizationTable() {}

    /** Prints one line for each recipe. */
    public static void main(String[] args) throws IOException {
        Path model = Path.of(args[0]);
        String held = Files.readString(Path.of(args[1]));
        List<String> texts = List.of(Files.readString(Path.of(args[2])));
        Path folder = Files.createTempDirectory("quantization-table");
        try {
            Path original = folder.resolve("float");
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                ExportOptions floats =
                        ExportOptions.builder().weights(WeightFormat.FLOAT).build();
                DecoderExport.export(checkpoint, original, floats).run();
            }
            System.out.println(
                    "| recipe | MB | relative error | perplexity | ratio | KL | p99 | top-1 | seconds | decode | prefill |");
            System.out.println("|---|---|---|---|---|---|---|---|---|---|---|");
            for (String text : Arrays.copyOfRange(args, 3, args.length)) {
                row(model, original, recipe(text, texts), held);
            }
        } finally {
            WorkFolder.deleteTree(folder);
        }
    }

    private static QuantizationRecipe recipe(String text, List<String> texts) {
        String[] parts = text.split(":");
        QuantizationMethod method = QuantizationMethod.of(parts[0]).orElseThrow();
        QuantizationRecipe.Builder recipe = QuantizationRecipe.builder()
                .method(method)
                .bits(Integer.parseInt(parts[1]))
                .blockSize(Integer.parseInt(parts[2]))
                .symmetric(parts.length > 3);
        if (method.needsCalibration()) {
            recipe.calibration(
                    CalibrationData.of(texts).withWindows(WINDOWS, WINDOW).withChat(false));
        }
        return recipe.build();
    }

    private static void row(Path model, Path original, QuantizationRecipe recipe, String held) throws IOException {
        Path target = original.resolveSibling("quantized");
        QuantizerOptions options = QuantizerOptions.builder().threads(THREADS).build();
        QuantizationReport report =
                OnnxQuantizer.create(options).quantize(model, target, recipe).run();
        EngineOptions engine = EngineOptions.builder().threads(THREADS).build();
        ModelComparison found =
                ModelComparer.of(engine).compare(original, target, held).run();
        System.out.printf(
                Locale.ROOT,
                "| %s, %d bits, blocks of %d%s | %.1f | %.4f | %.3f | %.4f (%.4f–%.4f) | %.4f | %.3f | %.3f | %.1f | %.1f | %.0f |%n",
                recipe.method().text(),
                recipe.bits(),
                recipe.blockSize(),
                recipe.symmetric() ? ", symmetric" : "",
                report.bytesAfter() / 1e6,
                report.relativeError(),
                found.b().perplexity(),
                found.perplexityRatio().value(),
                found.perplexityRatio().low(),
                found.perplexityRatio().high(),
                found.kl().value(),
                found.klP99(),
                found.topOneAgreement(),
                report.elapsed().toMillis() / 1e3,
                found.b().decodeTokensPerSecond(),
                found.b().prefillTokensPerSecond());
        WorkFolder.deleteTree(target);
    }
}
