package dev.pollux.samples.cli;

import dev.pollux.finetune.evaluate.ReadingQuestions;
import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.ExplainedRow;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.LoraTrainer;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.QuestionLayout;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.inference.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The model and the rows of a command that trains. */
abstract class TrainingData extends PolluxCommand {

    @Option(
            names = "--base",
            order = 1,
            required = true,
            paramLabel = "MODEL",
            description =
                    "The model: a Hugging Face folder, a GGUF file, a model of the hub, or the name of an embedded one.")
    private String base = "";

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

    @Option(
            names = "--questions",
            order = 42,
            paramLabel = "N",
            description =
                    "For rows with question, context and answers: up to N questions about one passage become turns of one"
                            + " row; train them by --trained assistant. Default: each row by itself.")
    private int questions;

    @Option(
            names = "--unanswerable",
            order = 43,
            paramLabel = "NUMBER",
            description =
                    "With --questions: for each question, so many about other passages, whose answer is that they are not"
                            + " in the sources. Default: 0.")
    private double unanswerable;

    @Option(
            names = "--longest-passage",
            order = 44,
            paramLabel = "N",
            description = "With --questions: leave out passages with more characters. Default: no limit.")
    private int longestPassage = QuestionLayout.DEFAULTS.longestPassage();

    @Option(
            names = "--literal",
            order = 45,
            description = "With --questions: leave out questions whose answer is not in the passage word by word.")
    private boolean literal;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    final ResourceOptions resources() {
        return resources;
    }

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
        return ModelOptions.locate(base, this, resources);
    }

    final Dataset data() {
        Path file = data == null ? Path.of("") : data;
        GivenPath.file("--data", file, this);
        return rows(file);
    }

    /** The rows of a file, in conversations if they are questions and this is wanted. */
    final Dataset rows(Path file) {
        if (questions == 0) {
            return Dataset.jsonl(file);
        }
        QuestionLayout layout;
        try {
            layout = QuestionLayout.builder()
                    .questions(questions)
                    .unanswerable(unanswerable)
                    .longestPassage(longestPassage)
                    .literal(literal)
                    .build();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        return Dataset.questions(ReadingQuestions.read(file), layout);
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
