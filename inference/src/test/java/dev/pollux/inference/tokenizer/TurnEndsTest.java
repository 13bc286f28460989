package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TurnEndsTest {

    @Test
    void aTurnEndsAtWhatIsNamedSpelledOrKnown() {
        assertThat(ends(List.of(5, 0, 5, -1), List.of("b", "absent"), "a", "b", "<|im_end|>", "<|eot_id|>", "c"))
                .containsExactly(0, 1, 2, 3, 5);
    }

    @Test
    void onlyTheExactSpellingOfATurnEndCounts() {
        assertThat(ends("<|IM_END|>", "im_end", " <|im_end|>", "<|im_end|", "EOT", "eos", "end", "<|im_start|>"))
                .isEmpty();
    }

    @Test
    void aTurnEndsAtTheMarkersOfFamiliesWhoseFilesMostlyNameThem() {
        assertThat(ends(
                        "<|eot|>",
                        "<|end_of_turn|>",
                        "<|endofturn|>",
                        "[|endofturn|]",
                        "<|END_OF_TURN_TOKEN|>",
                        "<|x|>"))
                .containsExactly(0, 1, 2, 3, 4);
        assertThat(ends("<|assistant_end|>", "<|role_end|>", "<seed:eos>", "<|assistant_start|>", "<role>"))
                .containsExactly(0, 1, 2);
    }

    @Test
    void ofPhiTheTurnEndsWithItsMessage() {
        assertThat(ends("a", "<|end|>", "<|return|>")).containsExactly(1, 2);
        assertThat(ends("a", "<|end|>", "<|call|>")).containsExactly(1, 2);
        assertThat(ends("a", "<|end|>", "<|flush|>")).containsExactly(1, 2);
        assertThat(ends("a", "<|end|>", "<|calls|>")).containsExactly(1, 2);
    }

    @Test
    void ofHarmonyAMessageEndsButNotTheTurn() {
        assertThat(ends("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>")).containsExactly(1, 2, 3);
        assertThat(ends(List.of(0, 1), List.of("<|end|>"), "<|end|>", "<|return|>", "<|call|>"))
                .containsExactly(1, 2);
    }

    @Test
    void ofSolarOpenTheThoughtEndsButNotTheTurn() {
        assertThat(ends(List.of(0), List.of(), "<|end|>", "<|flush|>", "<|calls|>"))
                .containsExactly(1, 2);
        assertThat(ends("<|end|>", "<|flush|>", "<|call|>")).containsExactly(1, 2);
    }

    @Test
    void aTagOfHtmlEndsNoTurn() {
        assertThat(ends("</s>", "<s>")).containsExactly(0);
        assertThat(ends("</s>", "</u>", "<end_of_turn>")).containsExactly(2);
        assertThat(ends(List.of(0), List.of(), "</s>", "</u>")).containsExactly(0);
        assertThat(ends(List.of(0), List.of("</s>"), "</s>", "<|tool_response>", "<turn|>"))
                .containsExactly(1, 2);
    }

    @Test
    void whatIsFilledInEndsAtAnotherFile() {
        assertThat(ends("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|file_sep|>"))
                .containsExactly(3, 4);
    }

    private static List<Integer> ends(String... vocabulary) {
        return ends(List.of(), List.of(), vocabulary);
    }

    private static List<Integer> ends(List<Integer> ids, List<String> tokens, String... vocabulary) {
        return TurnEnds.of(ids, tokens, token -> {
            int id = List.of(vocabulary).indexOf(token);
            return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
        });
    }
}
