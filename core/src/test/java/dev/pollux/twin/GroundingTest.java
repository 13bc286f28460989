package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GroundingTest {

    private static final String MERGING = "Models of one architecture are merged by averaging their weights."
            + " The method SLERP joins two models. Ada Lovelace wrote 12 notes in 1843."
            + " Pollux needs no Python and no server.";
    private static final String SOUP = "Tomato soup wants salt and twenty minutes.";

    private final List<TwinPrompt.Packed> packed =
            List.of(packed(1, List.of("Merging"), MERGING), packed(4, List.of(), SOUP));
    private final Grounding grounding = new Grounding(packed, 0.75, "Castor", "");

    @Test
    void aParaphraseIsSupportedByTheSentenceNearest() {
        Grounding.Verdict verdict = grounding.check("Models are merged by averaging the weights.", List.of(), "");
        assertThat(verdict.reason()).isEmpty();
        assertThat(verdict.words()).isEqualTo(4);
        assertThat(verdict.supports()).hasSize(1);
        assertThat(verdict.supports().get(0).packed().number()).isEqualTo(1);
        assertThat(verdict.supports().get(0).line().quote())
                .isEqualTo("Models of one architecture are merged by averaging their weights.");
    }

    @Test
    void whatIsNotInThePassagesIsNotSupported() {
        assertThat(reason("Merging destroys quantum computers and rockets."))
                .isEqualTo("its source says it of 'Models one architecture'");
    }

    @Test
    void everyNumberMustStandInAPassage() {
        assertThat(reason("SLERP joins 3 models.")).isEqualTo("the number 3 is in no passage");
        assertThat(reason("SLERP joins three models.")).isEqualTo("the number three is in no passage");
        assertThat(reason("SLERP joins 2 models.")).isEmpty();
        assertThat(reason("Ada Lovelace wrote 12 notes in 1843.")).isEmpty();
        assertThat(reason("Ada Lovelace wrote 12 notes in 1844.")).isEqualTo("the number 1844 is in no passage");
        assertThat(reason("The third method SLERP joins two models.")).isEqualTo("the number third is in no passage");
    }

    @Test
    void everyNameMustStandInAPassage() {
        assertThat(reason("Models are merged by Einstein by averaging weights."))
                .isEqualTo("the name Einstein is in no passage");
        assertThat(reason("Grace Hopper wrote notes.")).isEqualTo("the name Hopper is in no passage");
        assertThat(reason("DARE joins two models.")).isEqualTo("the name DARE is in no passage");
        assertThat(reason("The Method SLERP joins Two Models.")).isEmpty();
    }

    @Test
    void theTwinsOwnNameNeedsNoSource() {
        assertThat(reason("As Castor says, models are merged by averaging weights."))
                .isEmpty();
    }

    @Test
    void aNegationMustStandOnBothSides() {
        assertThat(reason("Pollux needs Python."))
                .isEqualTo("it and its source disagree on a negation before 'Python'");
        assertThat(reason("SLERP does not join models."))
                .isEqualTo("it and its source disagree on a negation before 'join'");
        assertThat(reason("Pollux needs no Python.")).isEmpty();
        assertThat(reason("Python is not needed, nor a server.")).isNotEmpty();
    }

    @Test
    void aSentenceWithoutContentSaysNothing() {
        assertThat(reason("Yes, it is!")).isEqualTo("it says nothing that a passage could hold");
        assertThat(grounding.check("Yes.", List.of(), "").words()).isZero();
    }

    @Test
    void aWrongCitationIsReplacedAndSeveralAreJoined() {
        assertThat(grounding.check("SLERP joins two models.", List.of(4), "").supports())
                .extracting(support -> support.packed().number())
                .containsExactly(1);
        Grounding.Verdict joined = grounding.check("Tomato soup wants salt and models are merged.", List.of(1, 4), "");
        assertThat(joined.reason()).isEmpty();
        assertThat(joined.supports())
                .extracting(support -> support.packed().number())
                .containsExactly(4, 1);
    }

    @Test
    void headingsCountAndWhatWasCutOffDoesNot() {
        TwinPrompt.Packed half = new TwinPrompt.Packed(1, packed.get(0).source(), 0, 65);
        Grounding cut = new Grounding(List.of(half), 0.75, "", "");
        assertThat(cut.check("Models are merged by averaging weights.", List.of(), "")
                        .reason())
                .isEmpty();
        assertThat(cut.check("SLERP joins models.", List.of(), "").reason())
                .isEqualTo("the name SLERP is in no passage");
    }

    private String reason(String sentence) {
        return grounding.check(sentence, List.of(), "").reason();
    }

    static TwinPrompt.Packed packed(int number, List<String> headings, String text) {
        Passage passage =
                new Passage("p" + number, "guide.md", headings, text, 0, text.length(), Location.lines(1, 1), Map.of());
        return new TwinPrompt.Packed(number, EvidencePassage.of(passage), 0, text.length());
    }
}
