package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerVerifierTest {

    private final TwinPrompt.Packed merging = GroundingTest.packed(
            1,
            List.of("Merging"),
            "Models are merged by averaging weights.\n"
                    + "The method SLERP joins two models.\n\n"
                    + "```\n"
                    + "pollux merge a b\n"
                    + "```");
    private final TwinPrompt.Packed soup = GroundingTest.packed(2, List.of(), "Tomato soup wants salt.");
    private final List<EvidenceFinder.Found> found = List.of(
            new EvidenceFinder.Found(merging.source(), merging.source().lines().get(0), 0.9));

    @Test
    void sentencesCiteTheLineThatSupportsThem() {
        AnswerVerifier checked =
                check("Models are merged by averaging [1]. SLERP joins two models. Soup wants salt [2].");
        assertThat(checked.text())
                .isEqualTo("Models are merged by averaging [1]. SLERP joins two models [3]. Soup wants salt [2].");
        assertThat(checked.citations())
                .containsExactly(
                        new Citation(
                                1,
                                Origin.of("guide.md"),
                                "Merging",
                                Location.lines(1, 1),
                                "Models are merged by averaging weights."),
                        new Citation(2, Origin.of("guide.md"), "", Location.lines(1, 1), "Tomato soup wants salt."),
                        new Citation(
                                3,
                                Origin.of("guide.md"),
                                "Merging",
                                Location.lines(2, 2),
                                "The method SLERP joins two models."));
        assertThat(checked.dropped()).isEmpty();
        assertThat(checked.groundedness()).isEqualTo(1);
    }

    @Test
    void unsupportedSentencesAreDroppedAndTheRestKeepsItsShape() {
        AnswerVerifier checked = check("Models are merged by averaging. The moon is cheese.\n\n"
                + "## Steps\n\n"
                + "1. SLERP joins two models.\n"
                + "2. Call Bob.\n"
                + "3. Tomato soup wants salt.");
        assertThat(checked.text())
                .isEqualTo("Models are merged by averaging [1].\n\n"
                        + "1. SLERP joins two models [3].\n"
                        + "3. Tomato soup wants salt [2].");
        assertThat(checked.dropped())
                .extracting(DroppedSentence::text)
                .containsExactly("The moon is cheese.", "Call Bob.");
        assertThat(checked.groundedness()).isCloseTo(11 / 15.0, within(1e-9));
        assertThat(checked.stop()).isEmpty();
    }

    @Test
    void marksBelongToTheSentenceBeforeThemOrWhoseLineTheyOpen() {
        String after = "SLERP joins two models. [2] Models are merged by averaging. [1]";
        assertThat(check(after).text()).isEqualTo("SLERP joins two models [3]. Models are merged by averaging [1].");
        String before = "[1] SLERP joins two models.\n- [2] Tomato soup wants salt.";
        assertThat(check(before).text()).isEqualTo("SLERP joins two models [3].\n- Tomato soup wants salt [2].");
    }

    @Test
    void numbersThatWereNeverGivenAreNoCitations() {
        assertThat(check("SLERP joins two models [7].").text()).isEqualTo("SLERP joins two models [3].");
    }

    @Test
    void codeIsCheckedAndKeepsItsFence() {
        AnswerVerifier checked = check("```\npollux merge a b\n```");
        assertThat(checked.text()).isEqualTo("```\npollux merge a b\n```\n[3]");
        assertThat(checked.citations().get(0).quote()).isEqualTo("pollux merge a b");
        assertThat(((Location.Lines) checked.citations().get(0).location()).first())
                .isEqualTo(5);
    }

    @Test
    void anUnfinishedSentenceIsDropped() {
        AnswerVerifier checked = check("SLERP joins two models. Models are merged", false);
        assertThat(checked.text()).isEqualTo("SLERP joins two models [3].");
        assertThat(checked.dropped()).containsExactly(new DroppedSentence("Models are merged", "it is not finished"));
    }

    @Test
    void nothingWrittenIsFullyGroundedAndNonsenseIsNot() {
        assertThat(check("").groundedness()).isEqualTo(1);
        assertThat(check("Yes!").groundedness()).isZero();
        assertThat(check("The moon is cheese.").groundedness()).isZero();
    }

    @Test
    void theWritingStopsAtARepetition() {
        AnswerVerifier checked = check("Models are merged by averaging weights. Models are then merged by averaging the"
                + " weights. SLERP joins two models.");
        assertThat(checked.text()).isEqualTo("Models are merged by averaging weights [1].");
        assertThat(checked.dropped())
                .containsExactly(new DroppedSentence(
                        "Models are then merged by averaging the weights.", "it repeats an earlier sentence"));
        assertThat(checked.stop()).contains(Answer.Stop.REPEATED);
        assertThat(checked.groundedness()).isLessThan(1);
    }

    @Test
    void theWritingStopsInsideASentenceThatTurnsInCircles() {
        AnswerVerifier draft = draft("What is known?");
        StringBuilder shown = new StringBuilder(draft.append("SLERP joins two models. The soup"));
        int pieces = 0;
        while (draft.stop().isEmpty()) {
            shown.append(draft.append(" is the salt of"));
            pieces++;
        }
        assertThat(pieces).isEqualTo(3);
        assertThat(draft.stop()).contains(Answer.Stop.REPEATED);
        assertThat(draft.dropped())
                .containsExactly(new DroppedSentence(
                        "The soup is the salt of is the salt of is the salt of", "it turns in circles"));
        assertThat(draft.append(" more. Models are merged by averaging.") + draft.end(true))
                .isEmpty();
        assertThat(shown.toString()).isEqualTo(draft.text()).isEqualTo("SLERP joins two models [3].");
    }

    @Test
    void theWritingStopsAtTheSecondDroppedSentenceInARow() {
        AnswerVerifier checked =
                check("SLERP joins two models. The moon is cheese. Models are merged by averaging. Call Bob. Eat it."
                        + " Tomato soup wants salt.");
        assertThat(checked.text()).isEqualTo("SLERP joins two models [3]. Models are merged by averaging [1].");
        assertThat(checked.dropped())
                .extracting(DroppedSentence::text)
                .containsExactly("The moon is cheese.", "Call Bob.", "Eat it.");
        assertThat(checked.stop()).contains(Answer.Stop.UNSUPPORTED);
    }

    @Test
    void theWritingStopsWhereTheQuestionIsAnswered() {
        AnswerVerifier draft = draft("How many models does SLERP join?");
        assertThat(draft.append("SLERP joins two models. Models")).isEqualTo("SLERP joins two models [3].");
        assertThat(draft.stop()).contains(Answer.Stop.COMPLETE);
        AnswerVerifier open = draft("How does SLERP join models?");
        open.append("SLERP joins two models. Models");
        assertThat(open.stop()).isEmpty();
    }

    @Test
    void aSentenceIsShownWhenTheNextOneBeginsAndNeverTakenBack() {
        String written =
                "Models are merged by averaging weights. [1]\n\n- SLERP joins two models [1].\n- Call Bob.\n\n```\n"
                        + "pollux merge a b\n```\n\nTomato soup wants salt [2, 9].";
        String whole = check(written).text();
        for (int size = 1; size < 15; size++) {
            AnswerVerifier draft = draft("What is known?");
            StringBuilder shown = new StringBuilder();
            for (int i = 0; i < written.length(); i += size) {
                shown.append(draft.append(written.substring(i, Math.min(written.length(), i + size))));
                assertThat(whole).startsWith(shown.toString());
            }
            assertThat(shown.append(draft.end(true)).toString()).isEqualTo(whole);
        }
        assertThat(whole)
                .isEqualTo("Models are merged by averaging weights [1].\n\n- SLERP joins two models [3].\n\n```\n"
                        + "pollux merge a b\n```\n[4]\n\nTomato soup wants salt [2].");
        AnswerVerifier draft = draft("What is known?");
        assertThat(draft.append("Models are merged by averaging weights.")).isEmpty();
        assertThat(draft.append(" [1")).isEmpty();
        assertThat(draft.append("] S")).isEqualTo("Models are merged by averaging weights [1].");
    }

    @Test
    void aTrueSentenceAfterFalseOnesWaitsForMoreOfItsKind() {
        String made = "Quantum rockets orbit distant purple galaxies quickly. SLERP joins two models. ";
        AnswerVerifier alone = check(made);
        assertThat(alone.text()).isEmpty();
        assertThat(alone.groundedness()).isCloseTo(4 / 11.0, within(1e-9));
        AnswerVerifier draft = draft("What is known?");
        assertThat(draft.append(made + "Models")).isEmpty();
        assertThat(draft.append(" are merged by averaging weights. And"))
                .isEqualTo("SLERP joins two models [3]. Models are merged by averaging weights [1].");
    }

    @Test
    void aNumberAloneSaysNothing() {
        assertThat(check("SLERP joins two models. 2.").text()).isEqualTo("SLERP joins two models [3].");
    }

    @Test
    void wordsThatRestOnPassagesWithoutEvidenceAreNotToThePoint() {
        String reason = "it is on another matter than the evidence";
        assertThat(check("Tomato soup wants salt. Models are merged by averaging.")
                        .text())
                .isEqualTo("Models are merged by averaging [1].");
        assertThat(check("Tomato soup wants salt. Models are merged by averaging.")
                        .dropped())
                .containsExactly(new DroppedSentence("Tomato soup wants salt.", reason));
        assertThat(check("SLERP joins two models. Tomato soup wants salt.").dropped())
                .isEmpty();
    }

    private AnswerVerifier check(String written) {
        return check(written, true);
    }

    private AnswerVerifier check(String written, boolean finished) {
        AnswerVerifier draft = draft("What is known?");
        draft.append(written);
        draft.end(finished);
        return draft;
    }

    private AnswerVerifier draft(String question) {
        List<TwinPrompt.Packed> packed = List.of(merging, soup);
        return new AnswerVerifier(
                new Grounding(packed, 0.75, "", ""), new Completion(question, packed), found, packed, 0.5);
    }
}
