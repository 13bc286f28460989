package dev.pollux.samples.cli;

import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationMethod;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the texts that a model is quantized on. */
final class CalibrationOptions {

    @Option(
            names = "--calibrate",
            order = 18,
            paramLabel = "PATH",
            description =
                    "A file or a folder of documents: the texts on which gptq, awq and int8-static quantize. Use others"
                            + " for --compare.")
    private @Nullable Path path;

    @Option(
            names = "--windows",
            order = 18,
            paramLabel = "N",
            description = "With gptq and awq: windows of the texts that are read at most. Default: 128.")
    private @Nullable Integer windows;

    @Option(
            names = "--window-tokens",
            order = 18,
            paramLabel = "N",
            description = "With gptq and awq: tokens of a window. Default: 512, at most the context of the model.")
    private @Nullable Integer windowTokens;

    @Option(
            names = "--seed",
            order = 18,
            paramLabel = "N",
            description = "With gptq and awq: chooses the windows. Default: 0.")
    private @Nullable Long seed;

    /**
     * The texts; empty without {@code --calibrate}.
     *
     * @throws IllegalArgumentException if there is no text, or a number is out of range
     */
    Optional<CalibrationData> data(PolluxCommand command, QuantizationMethod method) {
        boolean cut = windows != null || windowTokens != null || seed != null;
        if (cut && !method.runsLayerByLayer()) {
            throw command.usage(
                    "--windows, --window-tokens and --seed belong to the recipes gptq and awq; leave them out"
                            + " or choose one of these");
        }
        if (path == null) {
            return Optional.empty();
        }
        if (!method.runsLayerByLayer()) {
            return Optional.of(CalibrationData.of(CalibrationTexts.read(path)));
        }
        CalibrationData data = CalibrationData.of(CalibrationTexts.whole(path));
        return Optional.of(data.withWindows(
                        windows == null ? data.windows() : windows,
                        windowTokens == null ? data.windowLength() : windowTokens)
                .withSeed(seed == null ? data.seed() : seed));
    }
}
