package dev.pollux.benchmarks;

import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Bytes, perplexity, divergence and rates of a decoder in recipes of many kinds, against its weights in float.
 *
 * <pre>
 * QuantizationTable MODEL HELD-OUT.txt CALIBRATION.txt METHOD:BITS:BLOCK[:symmetric] …
 * </pre>
 *
 * A recipe is written such as {@code gptq:4:32}. Rates are those of the recipe divided by those of the float model, measured in
 * turns; medians of the rounds.
 */
public final class QuantizationTable {

    private static final int THREADS = 2;
    private static final int WINDOWS = 32;
    private static final int WINDOW = 256;
    private static final int ROUNDS = 5;
    private static final int PROMPT = 256;
    private static final int CONTINUATION = 32;

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
                    "| recipe | MB | relative error | perplexity | ratio | KL | p99 | top-1 | decode | prefill |");
            System.out.println("|---|---|---|---|---|---|---|---|---|---|");
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
        Rates rates = Rates.inTurns(original, target, engine);
        System.out.printf(
                Locale.ROOT,
                "| %s, %d bits, blocks of %d%s | %.1f | %.4f | %.3f | %.4f (%.4f–%.4f) | %.4f | %.3f | %.3f | %.2f | %.2f |%n",
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
                rates.decode(),
                rates.prefill());
        WorkFolder.deleteTree(target);
    }

    /** Tokens per second of a model, or ratios of two. */
    private record Rates(double prefill, double decode) {

        static Rates inTurns(Path original, Path quantized, EngineOptions engine) {
            List<Rates> ratios = new ArrayList<>();
            try (DecoderModel a = DecoderModel.open(original, engine);
                    DecoderModel b = DecoderModel.open(quantized, engine)) {
                of(a);
                of(b);
                for (int round = 0; round < ROUNDS; round++) {
                    Rates one = of(a);
                    Rates other = of(b);
                    ratios.add(new Rates(other.prefill() / one.prefill(), other.decode() / one.decode()));
                }
            }
            return new Rates(median(ratios, Rates::prefill), median(ratios, Rates::decode));
        }

        private static Rates of(DecoderModel model) {
            int[] prompt = IntStream.range(0, PROMPT).map(i -> 1000 + i).toArray();
            try (DecoderSequence sequence = model.sequence()) {
                long begin = System.nanoTime();
                sequence.append(prompt);
                long middle = System.nanoTime();
                for (int i = 0; i < CONTINUATION; i++) {
                    sequence.append(1000 + i);
                }
                return new Rates(PROMPT * 1e9 / (middle - begin), CONTINUATION * 1e9 / (System.nanoTime() - middle));
            }
        }

        private static double median(List<Rates> rates, ToDoubleFunction<Rates> of) {
            return rates.stream()
                    .mapToDouble(of)
                    .sorted()
                    .skip(rates.size() / 2)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
