package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompletionTest {

    private final List<TwinPrompt.Packed> passages = List.of(GroundingTest.packed(
            1,
            List.of("Ferry"),
            "The ferry to Sandholm leaves at seven. It costs 12 euros. It was built by Marta Lind."));

    @Test
    void aValueThatWasAskedForCompletesTheAnswer() {
        assertThat(completes("When does the ferry to Sandholm leave?", "The ferry to Sandholm leaves at seven."))
                .isTrue();
        assertThat(completes("How much does the ferry cost?", "The ferry to Sandholm leaves daily."))
                .isFalse();
        assertThat(completes("Wann fährt die Fähre?", "The ferry to Sandholm leaves at seven."))
                .isFalse();
    }

    @Test
    void aQuestionForTwoThingsIsNotCompleteWithOne() {
        assertThat(completes(
                        "When does the ferry to Sandholm leave and how much does it cost?",
                        "The ferry to Sandholm leaves at seven."))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "Who built the ferry?, 3",
        "Is the ferry old?, 3",
        "When was it built?, 3",
        "How was the ferry built?, 8",
        "Why is there a ferry?, 8",
        "Who built the ferry and why?, 8",
        "Tell me about the ferry, 8"
    })
    void everyAnswerIsCompleteAfterSomeSentences(String question, int most) {
        Completion completion = new Completion(question, passages);
        int sentences = 1;
        while (!completion.with("The ferry is blue.", List.of())) {
            sentences++;
        }
        assertThat(sentences).isEqualTo(most);
    }

    private boolean completes(String question, String sentence) {
        return new Completion(question, passages).with(sentence, List.of());
    }
}
