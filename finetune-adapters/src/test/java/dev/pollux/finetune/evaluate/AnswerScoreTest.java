package dev.pollux.finetune.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerScoreTest {

    @Test
    void anAnswerContainsAReferenceByWholeWords() {
        assertThat(AnswerScore.of("They gave up 308 points.", List.of("308")).contains())
                .isEqualTo(1);
        assertThat(AnswerScore.of("They gave up 1308 points.", List.of("308")).contains())
                .isZero();
        assertThat(AnswerScore.of("the Old, big house", List.of("An old big")).contains())
                .isEqualTo(1);
    }

    @Test
    void theBestReferenceCountsForEachMeasure() {
        AnswerScore score = AnswerScore.of("the red fox", List.of("a wolf", "Red fox!"));
        assertThat(score).isEqualTo(new AnswerScore(1, 1, 1));
        assertThat(AnswerScore.of("red fox", List.of("red hen")).tokenF1()).isEqualTo(0.5);
    }

    @Test
    void noReferencesAreRefused() {
        assertThatThrownBy(() -> AnswerScore.of("x", List.of()))
                .hasMessage("references must not be empty; give at least one right answer");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "I do not know: this is not in the sources.",
                "I don\u2019t know.",
                "The passage does not mention it.",
                "The passages do not explicitly state a year.",
                "That is not mentioned in the given text.",
                "No answer",
                "unknown",
                ""
            })
    void refusalsAreRecognized(String answer) {
        assertThat(Refusal.is(answer)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Paris. The passage does not mention the year.",
                "He did not know the way",
                "In the story, a fox",
                "308"
            })
    void answersAreNoRefusals(String answer) {
        assertThat(Refusal.is(answer)).isFalse();
    }
}
