package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.retrieval.Origin;
import java.util.List;
import org.junit.jupiter.api.Test;

class DraftTest {

    private final TwinPrompt.Packed merging = GroundingTest.packed(
            1,
            List.of("Merging"),
            "Models are merged by averaging weights.\nThe method SLERP joins two models.\n\n```\npollux merge a b\n```");
    private final TwinPrompt.Packed soup = GroundingTest.packed(2, List.of(), "Tomato soup wants salt.");
    private final List<EvidenceFinder.Found> found = List.of(
            new EvidenceFinder.Found(merging.source(), merging.source().lines().get(0), 0.9));

    @Test
    void sentencesCiteTheLineThatSupportsThem() {
        Draft.Checked checked =
                check("Models are merged by averaging [1]. SLERP joins two models. Soup wants salt [2].");
        assertThat(checked.text())
                .isEqualTo("Models are merged by averaging [1]. SLERP joins two models [3]. Soup wants salt [2].");
        assertThat(checked.citations())
                .containsExactly(
                        new Citation(
                                1, Origin.of("guide.md"), "Merging", 1, 1, "Models are merged by averaging weights."),
                        new Citation(2, Origin.of("guide.md"), "", 1, 1, "Tomato soup wants salt."),
                        new Citation(3, Origin.of("guide.md"), "Merging", 2, 2, "The method SLERP joins two models."));
        assertThat(checked.dropped()).isEmpty();
        assertThat(checked.groundedness()).isEqualTo(1);
    }

    @Test
    void unsupportedSentencesAreDroppedAndTheRestKeepsItsShape() {
        Draft.Checked checked = check(
                "Models are merged by averaging. The moon is cheese.\n\n## Steps\n\n1. SLERP joins two models.\n2. Call Bob.\n3. Soup wants salt.");
        assertThat(checked.text())
                .isEqualTo(
                        "Models are merged by averaging [1].\n\n1. SLERP joins two models [3].\n3. Soup wants salt [2].");
        assertThat(checked.dropped())
                .extracting(DroppedSentence::text)
                .containsExactly("The moon is cheese.", "Call Bob.");
        assertThat(checked.groundedness()).isCloseTo(10 / 14.0, within(1e-9));
    }

    @Test
    void marksBelongToTheSentenceBeforeThemOrWhoseLineTheyOpen() {
        String after = "Soup wants salt. [2] Models are merged by averaging. [1]";
        assertThat(check(after).text()).isEqualTo("Soup wants salt [2]. Models are merged by averaging [1].");
        String before = "[2] Soup wants salt.\n- [1] Models are merged by averaging.";
        assertThat(check(before).text()).isEqualTo("Soup wants salt [2].\n- Models are merged by averaging [1].");
    }

    @Test
    void numbersThatWereNeverGivenAreNoCitations() {
        assertThat(check("Soup wants salt [7].").text()).isEqualTo("Soup wants salt [2].");
    }

    @Test
    void codeIsCheckedAndKeepsItsFence() {
        Draft.Checked checked = check("```\npollux merge a b\n```");
        assertThat(checked.text()).isEqualTo("```\npollux merge a b\n```\n[3]");
        assertThat(checked.citations().get(0).quote()).isEqualTo("pollux merge a b");
        assertThat(checked.citations().get(0).firstLine()).isEqualTo(5);
    }

    @Test
    void repetitionsAndUnfinishedSentencesAreDropped() {
        Draft.Checked checked = new Draft(
                        new Grounding(List.of(merging, soup), 0.75, "", ""), found, List.of(merging, soup))
                .check("Soup wants salt. Soup wants salt. Models are merged", false);
        assertThat(checked.text()).isEqualTo("Soup wants salt [2].");
        assertThat(checked.dropped())
                .containsExactly(
                        new DroppedSentence("Soup wants salt.", "it repeats an earlier sentence"),
                        new DroppedSentence("Models are merged", "it is not finished"));
    }

    @Test
    void nothingWrittenIsFullyGroundedAndNonsenseIsNot() {
        assertThat(check("").groundedness()).isEqualTo(1);
        assertThat(check("Yes!").groundedness()).isZero();
        assertThat(check("The moon is cheese.").groundedness()).isZero();
    }

    @Test
    void aSentenceWithAnotherWordOrTwoIsARepetition() {
        Draft.Checked checked = check("Models are merged by averaging weights. Models are then merged by averaging the"
                + " weights. SLERP joins two models.");
        assertThat(checked.text()).isEqualTo("Models are merged by averaging weights [1]. SLERP joins two models [3].");
        assertThat(checked.dropped())
                .containsExactly(new DroppedSentence(
                        "Models are then merged by averaging the weights.", "it repeats an earlier sentence"));
        assertThat(checked.groundedness()).isLessThan(1);
    }

    @Test
    void wordsThatRestOnPassagesWithoutEvidenceAreNotToThePoint() {
        assertThat(check("Models are merged by averaging.").relevance()).isEqualTo(1);
        assertThat(check("SLERP joins two models.").relevance()).isEqualTo(1); // of the same passage
        assertThat(check("Tomato soup wants salt.").relevance()).isZero();
        assertThat(check("Tomato soup wants salt. Models are merged by averaging.")
                        .relevance())
                .isCloseTo(3 / 7.0, within(1e-9));
        assertThat(check("The moon is cheese.").relevance()).isZero();
    }

    private Draft.Checked check(String written) {
        List<TwinPrompt.Packed> packed = List.of(merging, soup);
        return new Draft(new Grounding(packed, 0.75, "", ""), found, packed).check(written, true);
    }
}
