package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.finetune.train.ExplainedRow;
import dev.pollux.finetune.train.TensorBoardLog;
import dev.pollux.finetune.train.TrainingPage;
import dev.pollux.finetune.train.TrainingReport;
import dev.pollux.finetune.train.TrainingStep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the steps of a run are written to. */
final class TrainingLogs {

    @Option(
            names = "--tensorboard",
            order = 46,
            paramLabel = "FOLDER",
            description = "Write the steps into an event file of TensorBoard in this folder.")
    private @Nullable Path tensorBoard;

    @Option(
            names = "--report",
            order = 47,
            paramLabel = "FILE",
            description = "Write an HTML page with curves and some rows at the end.")
    private @Nullable Path page;

    /** Runs a job whose steps go to both, and writes the page. */
    TrainingReport during(
            String title, Consumer<TrainingStep> listener, TrainingOf training, Supplier<List<ExplainedRow>> rows) {
        Path folder = tensorBoard;
        TrainingReport report;
        if (folder == null) {
            report = training.run(listener);
        } else {
            try (TensorBoardLog log = TensorBoardLog.create(folder)) {
                report = training.run(listener.andThen(log::add));
            }
        }
        Path file = page;
        if (file != null) {
            try {
                Files.writeString(file, TrainingPage.of(title, report, rows.get()));
            } catch (IOException e) {
                throw new StorageException("Cannot write " + file + ": " + Plainly.told(e), e);
            }
        }
        return report;
    }

    /** A run with a listener of its steps. */
    interface TrainingOf {
        TrainingReport run(Consumer<TrainingStep> listener);
    }
}
