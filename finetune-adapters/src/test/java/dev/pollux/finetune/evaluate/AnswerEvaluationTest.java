package dev.pollux.finetune.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.evaluate.AnswerReport.ScoredAnswer;
import dev.pollux.generation.Generator;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.testkit.FakeGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswerEvaluationTest {

    @TempDir
    Path temp;

    private Path file(String text) throws IOException {
        return Files.writeString(temp.resolve("questions.jsonl"), text);
    }

    private static final String ROWS = """
            {"id": "1", "document": "a", "context": "The fox is red.", "question": "Which colour?", "answers": ["red"]}
            {"id": "2", "document": "b", "context": "The hen is white.", "question": "Which hen?", "answers": ["white"]}
            {"id": "3", "context": "The dog is old.", "question": "How old is the cat?", "answers": [], "answerable": false}
            {"id": "4", "question": "Who?", "answers": ["Ann", "Annabel"]}
            """;

    @Test
    void answersAreScoredWithoutTheirCitations() throws IOException {
        List<String> seen = new ArrayList<>();
        try (Generator model = FakeGenerator.saying("Red [1].")) {
            AnswerReport report = AnswerEvaluation.of(model)
                    .onAnswer(one -> seen.add(one.question().id()))
                    .measure(ReadingQuestions.read(file(ROWS)))
                    .run();
            assertThat(report.rows()).isEqualTo(4);
            assertThat(report.exactMatch().map(Interval::value)).contains(1 / 3.0);
            assertThat(report.tokenF1().map(Interval::value)).contains(1 / 3.0);
            assertThat(report.contains().map(Interval::value)).contains(1 / 3.0);
            assertThat(report.refusedUnanswerable().map(Interval::value)).contains(0.0);
            assertThat(report.refusedAnswerable().map(Interval::value)).contains(0.0);
            assertThat(report.answers().get(0).answer()).isEqualTo("Red [1].");
        }
        assertThat(seen).containsExactly("1", "2", "3", "4");
    }

    @Test
    void aRefusalIsWrongWhereThereIsAnAnswer() throws IOException {
        try (Generator model = FakeGenerator.saying(ReadingQuestion.UNKNOWN)) {
            AnswerReport report = AnswerEvaluation.of(model)
                    .inParallel(2)
                    .measure(ReadingQuestions.read(file(ROWS)))
                    .run();
            assertThat(report.contains().map(Interval::value)).contains(0.0);
            assertThat(report.refusedUnanswerable().map(Interval::value)).contains(1.0);
            assertThat(report.refusedAnswerable().map(Interval::value)).contains(1.0);
        }
    }

    @Test
    void aMeasureThatNoRowHasIsAbsent() {
        assertThat(AnswerReport.EMPTY.exactMatch()).isEmpty();
        assertThat(AnswerReport.EMPTY.refusedUnanswerable()).isEmpty();
    }

    @Test
    void intervalsAreDrawnByDocumentAndDoNotShrinkToAPoint() {
        List<ScoredAnswer> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            ReadingQuestion row = new ReadingQuestion(i + "", i % 10 + "", Optional.empty(), "?", List.of("x"));
            answers.add(new ScoredAnswer(row, "", new AnswerScore(i % 2, i % 2, 1), false));
        }
        AnswerReport report = AnswerReport.of(answers);
        Interval exact = report.exactMatch().orElseThrow();
        assertThat(exact.value()).isEqualTo(0.5);
        assertThat(exact.low()).isLessThan(0.3); // ten documents that are all right or all wrong
        assertThat(exact.high()).isGreaterThan(0.7);
        double square = 1.959963984540054 * 1.959963984540054;
        assertThat(report.contains().orElseThrow().low()).isCloseTo(100 / (100 + square), within(1e-12));
    }

    @Test
    void swappedPassagesAreOfOtherDocumentsAndDoNotAnswer() throws IOException {
        ReadingQuestions all = ReadingQuestions.read(file(ROWS)).withSwappedPassages(1, 3);
        assertThat(all.rows()).hasSize(6);
        assertThat(all.rows().get(4).passage()).contains("The hen is white.");
        assertThat(all.rows().get(4).question()).isEqualTo("Which colour?");
        assertThat(all.rows().get(4).isAnswerable()).isFalse();
    }

    @Test
    void anAnswerToTrainIsASentenceWithItsSource() throws IOException {
        List<ReadingQuestion> rows = ReadingQuestions.read(file(ROWS)).rows();
        assertThat(rows)
                .extracting(ReadingQuestion::wanted)
                .containsExactly("Red [1].", "White [1].", ReadingQuestion.UNKNOWN, "Ann.");
        assertThat(rows.get(0).messages().get(1).content())
                .isEqualTo("<passage 1>\nThe fox is red.\n</passage>\n\nQuestion: Which colour?");
    }

    @Test
    void plainTextIsOneText() throws IOException {
        assertThat(ReadingQuestions.read(file("Once upon a time.")).texts()).containsExactly("Once upon a time.");
        assertThat(ReadingQuestions.read(file("{\"text\": \"a\"}\n{\"text\": \"b\"}"))
                        .texts())
                .containsExactly("a", "b");
    }

    @Test
    void rowsThatCannotBeReadAreNamed() throws IOException {
        Path file = file("{\"question\": \"Who?\"}");
        assertThatThrownBy(() -> ReadingQuestions.read(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file
                        + ": row 1 has no answers; add 'answers', or 'answerable': false; correct or remove the row");
        file("{\"answers\": [\"x\"]}");
        assertThatThrownBy(() -> ReadingQuestions.read(file))
                .hasMessage(file + ": row 1 has the keys [answers] but needs question and answers, or text; correct or"
                        + " remove the row");
    }
}
