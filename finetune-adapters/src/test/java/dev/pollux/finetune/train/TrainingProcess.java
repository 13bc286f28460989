package dev.pollux.finetune.train;

import dev.pollux.inference.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A training run in a process of its own, to be killed. */
final class TrainingProcess {

    private TrainingProcess() {}

    static Process start(Path model, Path target) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", // starts sooner
                        "-cp",
                        System.getProperty("java.class.path"),
                        TrainingProcess.class.getName(),
                        model.toString(),
                        target.toString())
                .inheritIO()
                .start();
    }

    /** Dropout, the state of AdamW, the order of rows, and evaluations of which the best is kept. */
    static TrainingReport run(Path model, Path target) {
        TrainingOptions options = TrainingOptions.builder()
                .batchSize(2)
                .epochs(150)
                .learningRate(1e-3)
                .maxLength(64)
                .threads(1)
                .evaluateEvery(40)
                .saveEvery(1)
                .build();
        LoraOptions lora = LoraOptions.builder().rank(4).dropout(0.1).build();
        Dataset others = Dataset.of("others", List.of(Map.of("prompt", "gravity", "completion", " is five .")));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.on(checkpoint, lora)
                    .evaluatedBy(others)
                    .savedTo(target)
                    .train(TrainingModel.rows(), Objective.sft(), options)
                    .run();
        }
    }

    /** Trains the model {@code arguments[0]} and writes the adapter {@code arguments[1]}. */
    public static void main(String[] arguments) {
        run(Path.of(arguments[0]), Path.of(arguments[1]));
    }
}
