package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.ExplainedRow;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.LoraTrainer;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.inference.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The model and the rows of a command that trains. */
abstract class TrainingData extends PolluxCommand {

    @Option(
            names = "--base",
            order = 1,
            required = true,
            paramLabel = "MODEL",
            description = "The model: a Hugging Face folder or a GGUF file.")
    private @Nullable Path base;

    @Option(
            names = "--data",
            order = 2,
            required = true,
            paramLabel = "FILE",
            description = "The rows: JSON objects, one a line, or an array of them.")
    private @Nullable Path data;

    @Option(
            names = "--max-length",
            order = 30,
            paramLabel = "N",
            description = "Most tokens of a row; longer ones are cut at the end. Default: ${DEFAULT-VALUE}.")
    private int maxLength = TrainingOptions.DEFAULTS.maxLength();

    @Option(
            names = "--trained",
            order = 31,
            paramLabel = "TOKENS",
            converter = Targets.class,
            description =
                    "What is trained of a row: all, completion (after the prompt), assistant (its turns), automatic (the"
                            + " completion if there is a prompt, else all). Default: automatic.")
    private TrainingOptions.Targets trained = TrainingOptions.Targets.AUTOMATIC;

    /** Reads the names of targets. */
    static final class Targets implements ITypeConverter<TrainingOptions.Targets> {
        @Override
        public TrainingOptions.Targets convert(String value) {
            for (TrainingOptions.Targets one : TrainingOptions.Targets.values()) {
                if (one.name().equalsIgnoreCase(value)) {
                    return one;
                }
            }
            throw new TypeConversionException("must be all, completion, assistant or automatic but was " + value);
        }
    }

    final Path base() {
        Path model = base == null ? Path.of("") : base;
        GivenPath.model(model.toString());
        return model;
    }

    final Dataset data() {
        Path file = data == null ? Path.of("") : data;
        GivenPath.file("--data", file, this);
        return Dataset.jsonl(file);
    }

    final TrainingOptions.Builder rowOptions() {
        return TrainingOptions.builder().maxLength(maxLength).trainedTokens(trained);
    }

    final List<ExplainedRow> explain(int rows) {
        Dataset read = data();
        try (Checkpoint checkpoint = Checkpoint.open(base())) {
            return LoraTrainer.on(checkpoint, LoraOptions.DEFAULTS)
                    .explain(
                            read,
                            read.isPairs() ? Objective.dpo() : Objective.sft(),
                            rowOptions().build(),
                            rows);
        }
    }
}
