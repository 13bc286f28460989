package dev.pollux.samples.cli;

import dev.pollux.inference.calibration.EmbedderComparer;
import dev.pollux.inference.calibration.EmbedderComparison;
import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.LongText;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.inference.quantize.QualityReport;
import java.nio.file.Path;

/**
 * A comparison of two models on a text.
 *
 * @param a the reference
 * @param b the other model
 */
record ModelsCompared(Path a, Path b, ResourceOptions resources) {

    /** Compares and prints. */
    int print(PolluxCommand command, Path text) {
        Report report = new Report();
        String read = TextFile.read(text);
        if (OnnxQuantizer.isEncoder(b)) {
            EmbedderOptions options = EmbedderOptions.builder()
                    .cache(resources.cache())
                    .workers(resources.threads())
                    .longText(LongText.WINDOWED)
                    .build();
            EmbedderComparison found =
                    command.run(EmbedderComparer.of(options).compare(a, b, CalibrationTexts.passages(read)));
            QualityReport.values(found).forEach((name, value) -> report.add(name, value, ""));
            QuantizationLines.loss(found, report);
        } else {
            ModelComparison found =
                    command.run(ModelComparer.of(engine(resources)).compare(a, b, read));
            QualityReport.values(found).forEach((name, value) -> report.add(name, value, ""));
            report.text("text", found.tokens() + " tokens");
            QuantizationLines.loss(found, report);
        }
        report.print(command);
        return ExitCode.OK;
    }

    /** How models are opened: a checkpoint with its weights in float. */
    static EngineOptions engine(ResourceOptions resources) {
        return EngineOptions.builder()
                .threads(resources.threads())
                .cache(resources.cache())
                .export(ExportOptions.builder().weights(WeightFormat.FLOAT).build())
                .build();
    }
}
