package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.finetune.evaluate.AnswerEvaluation;
import dev.pollux.finetune.evaluate.AnswerReport;
import dev.pollux.finetune.evaluate.AnswerReport.ScoredAnswer;
import dev.pollux.finetune.evaluate.ReadingQuestions;
import dev.pollux.generation.Generator;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.inference.calibration.TextPerplexity;
import dev.pollux.starter.DocumentTwin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures models. */
@Command(
        name = "evaluate",
        description = {
            "Measure what a model writes.",
            "",
            "generate asks questions and compares the answers with right ones, or measures the perplexity of texts.",
            "",
            "--json: see 'pollux evaluate generate --help'."
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = "  pollux evaluate generate --model model --adapter adapter --data questions.jsonl",
        subcommands = EvaluateCommand.Generate.class)
final class EvaluateCommand extends PolluxCommand {

    @Override
    int execute() {
        throw usage("say what to measure: generate");
    }

    /** Measures answers and perplexity. */
    @Command(
            name = "generate",
            description = {
                "Ask a model questions about passages, and compare its answers with right ones as SQuAD does.",
                "",
                "The file has a JSON object on each line: {id, context, question, answers, answerable}; id, context and"
                        + " answerable may be left out, and {text} is a text whose perplexity is measured. Any other file is one"
                        + " such text. The model reads the passage as a twin gives it, and writes without chance.",
                "",
                "--json: {rows, exactMatch, tokenF1, contains, refusedUnanswerable, refusedAnswerable, perplexity}; each but rows"
                        + " is {value, low, high} with an interval of 95 %, or null if no row has it. The first three are means over"
                        + " the questions that have an answer."
            },
            footer = {
                "  pollux evaluate generate --model model --data questions.jsonl",
                "  pollux evaluate generate --model model --adapter adapter --data questions.jsonl --unanswerable 0.5",
                "  pollux evaluate generate --model model --data letters.txt"
            })
    static final class Generate extends PolluxCommand {

        private static final long SEED = 42;

        @Option(
                names = "--data",
                order = 1,
                required = true,
                paramLabel = "FILE",
                description = "The questions, or a text.")
        private @Nullable Path data;

        @Option(
                names = "--sample",
                order = 2,
                paramLabel = "N",
                description = "Ask N questions, at equal distances in the file. Default: all.")
        private int sample = Integer.MAX_VALUE;

        @Option(
                names = "--unanswerable",
                order = 3,
                paramLabel = "SHARE",
                description =
                        "Ask this share of the questions once more, each about a passage of another document that does"
                                + " not have the answer. Default: 0.")
        private double unanswerable;

        @Option(
                names = "--max-tokens",
                order = 4,
                paramLabel = "N",
                description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}.")
        private int maxTokens = AnswerEvaluation.MAX_TOKENS;

        @Option(
                names = "--parallel",
                order = 5,
                paramLabel = "N",
                description = "Questions that are answered at a time. Default: ${DEFAULT-VALUE}.")
        private int parallel = 2;

        @Option(
                names = "--answers",
                order = 6,
                paramLabel = "FILE",
                description = "Write each answer with its score as a line of JSON as soon as it is there.")
        private @Nullable Path answers;

        @Mixin
        private ModelOptions model = new ModelOptions();

        @Mixin
        private ResourceOptions resources = new ResourceOptions();

        @Override
        int execute() {
            Path file = data == null ? Path.of("") : data;
            GivenPath.file("--data", file, this);
            model.check();
            ReadingQuestions questions;
            try {
                questions = ReadingQuestions.read(file).sample(sample).withSwappedPassages(unanswerable, SEED);
            } catch (IllegalArgumentException e) {
                throw usage(e);
            }
            Optional<Interval> perplexity =
                    questions.texts().isEmpty() ? Optional.empty() : Optional.of(perplexity(questions));
            AnswerReport report = asked(questions);
            Report shown =
                    new Report().add("rows", report.rows() + questions.texts().size());
            add(shown, "exactMatch", report.exactMatch());
            add(shown, "tokenF1", report.tokenF1());
            add(shown, "contains", report.contains());
            add(shown, "refusedUnanswerable", report.refusedUnanswerable());
            add(shown, "refusedAnswerable", report.refusedAnswerable());
            add(shown, "perplexity", perplexity);
            shown.print(this);
            return ExitCode.OK;
        }

        private Interval perplexity(ReadingQuestions questions) {
            Path path = ModelOptions.locate(model.named().orElse(DocumentTwin.DEFAULT_MODEL), this, resources);
            return run(TextPerplexity.of(model.engine(this, resources))
                    .measure(path, model.adapters(this, resources), questions.texts()));
        }

        private AnswerReport asked(ReadingQuestions questions) {
            if (questions.rows().isEmpty()) {
                return AnswerReport.EMPTY;
            }
            try (Writer lines = answers == null ? Writer.nullWriter() : Files.newBufferedWriter(answers);
                    Generator generator = model.open(this, resources)) {
                return run(AnswerEvaluation.of(generator)
                        .withMaxTokens(maxTokens)
                        .inParallel(parallel)
                        .onAnswer(one -> write(lines, one))
                        .measure(questions));
            } catch (IOException | UncheckedIOException e) {
                throw new StorageException("Cannot write " + answers + ": " + Plainly.told(e), e);
            } catch (IllegalArgumentException e) {
                throw usage(e);
            }
        }

        private static void write(Writer lines, ScoredAnswer one) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("id", one.question().id());
            line.put("question", one.question().question());
            line.put("answers", one.question().answers());
            line.put("answer", one.answer());
            line.put("exactMatch", one.score().exactMatch());
            line.put("tokenF1", one.score().tokenF1());
            line.put("contains", one.score().contains());
            line.put("refused", one.refused());
            try {
                lines.write(JsonShapes.tree(line).toString());
                lines.write(System.lineSeparator());
                lines.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void add(Report report, String name, Optional<Interval> estimate) {
            report.add(
                    name,
                    estimate.orElse(null),
                    estimate.map(found -> String.format(
                                    Locale.ROOT, "%.3f (%.3f to %.3f)", found.value(), found.low(), found.high()))
                            .orElse("not measured: no row has it"));
        }
    }
}
