package dev.pollux.samples.cli;

import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Range;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the texts that a model is quantized on. */
final class CalibrationOptions {

    @Option(
            names = "--calibrate",
            order = 18,
            paramLabel = "PATH",
            description =
                    "A file or a folder of documents: the texts on which gptq, awq, int8-static and --smoothing quantize. Use others"
                            + " for --compare.")
    private @Nullable Path path;

    @Option(
            names = "--windows",
            order = 18,
            paramLabel = "N",
            description =
                    "With gptq, awq and int8 of decoders: windows of the texts that are read at most. Default: 128.")
    private @Nullable Integer windows;

    @Option(
            names = "--window-tokens",
            order = 18,
            paramLabel = "N",
            description =
                    "With gptq, awq and int8 of decoders: tokens of a window. Default: 512, at most the context of the model.")
    private @Nullable Integer windowTokens;

    @Option(
            names = "--seed",
            order = 18,
            paramLabel = "N",
            description = "With gptq, awq and int8 of decoders: chooses the windows. Default: 0.")
    private @Nullable Long seed;

    @Option(
            names = "--range",
            order = 18,
            paramLabel = "KIND",
            converter = RangeConverter.class,
            description = "With int8-static: min-max, moving-average, percentile or entropy. Default: min-max.")
    private @Nullable Range range;

    @Option(
            names = "--smoothing",
            order = 18,
            paramLabel = "ALPHA",
            description = "With int8 and int8-static and --calibrate: how much of the range of activations moves into"
                    + " weights (SmoothQuant), in [0, 1]; .5 suits most models. Default: 0.")
    private double smoothing;

    /**
     * Adds the texts and what belongs to them.
     *
     * @param windowed whether the texts are cut into windows
     * @throws IllegalArgumentException if there is no text, or a number is out of range
     */
    void addTo(QuantizationRecipe.Builder recipe, boolean windowed, QuantizationMethod method, PolluxCommand command) {
        boolean cut = windows != null || windowTokens != null || seed != null;
        if (cut && !windowed) {
            throw command.usage("--windows, --window-tokens and --seed belong to the recipes gptq and awq, and to int8"
                    + " and int8-static of decoders with --calibrate; leave them out or choose one of these");
        }
        if (range != null && method != QuantizationMethod.INT8_STATIC) {
            throw command.usage("--range belongs to the recipe int8-static; leave it out or choose that recipe");
        }
        recipe.smoothing(smoothing).range(range == null ? Range.MIN_MAX : range);
        if (path == null) {
            return;
        }
        if (!windowed) {
            recipe.calibration(CalibrationTexts.read(path));
            return;
        }
        CalibrationData data = CalibrationData.of(CalibrationTexts.whole(path));
        recipe.calibration(data.withWindows(
                        windows == null ? data.windows() : windows,
                        windowTokens == null ? data.windowLength() : windowTokens)
                .withSeed(seed == null ? data.seed() : seed));
    }
}
