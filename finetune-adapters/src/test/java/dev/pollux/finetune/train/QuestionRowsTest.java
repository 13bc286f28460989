package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.finetune.evaluate.ReadingQuestion;
import dev.pollux.finetune.evaluate.ReadingQuestions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Questions about passages become conversations. */
class QuestionRowsTest {

    private static ReadingQuestions questions() {
        List<ReadingQuestion> rows = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String word = "word" + i / 3;
            rows.add(new ReadingQuestion(
                    i + "", "d" + i / 6, Optional.of("There is " + word + "."), "Question " + i + "?", List.of(word)));
        }
        return ReadingQuestions.of("questions", rows);
    }

    @Test
    void questionsAboutOnePassageShareARowWithOthersThatItDoesNotAnswer() {
        QuestionLayout layout =
                QuestionLayout.builder().questions(3).unanswerable(1).build();
        List<TrainingRow> rows = Dataset.questions(questions(), layout).rows();
        assertThat(rows).hasSize(4);
        for (TrainingRow row : rows) {
            List<Map<String, Object>> turns = row.completion().messages();
            assertThat(turns.size()).isBetween(9, 13); // a question is asked once in a row
            assertThat(turns.get(0)).containsEntry("role", "system");
            assertThat(turns.stream().filter(turn -> ReadingQuestion.UNKNOWN.equals(turn.get("content"))))
                    .hasSize((turns.size() - 7) / 2);
            assertThat(String.valueOf(turns.get(1).get("content"))).startsWith("<passage 1>\nThere is word");
            assertThat(String.valueOf(turns.get(3).get("content"))).startsWith("Question: Question ");
        }
        assertThat(Dataset.questions(questions(), layout).rows()).isEqualTo(rows);
    }

    @Test
    void aThirdOfTheQuestionsWithoutAnAnswerShareMostWordsWithThePassage() {
        List<ReadingQuestion> all = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            Optional<String> passage = Optional.of("Every red fox jumped over fence word" + i + ".");
            all.add(new ReadingQuestion("a" + i, "a", passage, "Where is it?", List.of("word" + i)));
        }
        String near = "Which red fox jumped over a fence?";
        all.add(new ReadingQuestion("near", "a", Optional.of("Tom is a fox."), near, List.of("Tom")));
        QuestionLayout layout = QuestionLayout.builder().unanswerable(1).build();
        long rows = Dataset.questions(ReadingQuestions.of("questions", all), layout).rows().stream()
                .filter(row -> row.completion().messages().toString().contains(near))
                .count();
        assertThat(rows - 1).isBetween(6L, 24L); // its own row aside; at random it would be one of 60
    }

    @Test
    void aRowByItselfIsAPromptWithItsAnswer() {
        Dataset rows = Dataset.of(
                "rows", List.of(Map.of("context", "The fox is red.", "question", "Which?", "answers", List.of("red"))));
        TrainingRow row = rows.rows().get(0);
        assertThat(row.prompt().messages()).hasSize(2);
        assertThat(row.completion().messages()).containsExactly(Map.of("role", "assistant", "content", "Red [1]."));
    }

    @Test
    void answersThatAreNotInThePassageAreLeftOutIfWanted() {
        ReadingQuestion free =
                new ReadingQuestion("x", "x", Optional.of("It rained."), "Why?", List.of("because of clouds"));
        List<ReadingQuestion> rows = new ArrayList<>(questions().rows());
        rows.add(free);
        ReadingQuestions all = ReadingQuestions.of("questions", rows);
        assertThat(Dataset.questions(all, QuestionLayout.builder().build()).size())
                .isEqualTo(13);
        assertThat(Dataset.questions(all, QuestionLayout.builder().literal(true).build())
                        .size())
                .isEqualTo(12);
        assertThat(QuestionLayout.builder().build()).isEqualTo(QuestionLayout.DEFAULTS);
    }
}
