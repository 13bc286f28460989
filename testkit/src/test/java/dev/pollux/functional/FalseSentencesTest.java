package dev.pollux.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.FalseSentences;
import dev.pollux.testkit.FalseSentences.FalseSentence;
import dev.pollux.testkit.FalseSentences.Kind;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TrueSentences;
import dev.pollux.testkit.TrueSentences.TrueSentence;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Twin;
import dev.pollux.twin.TwinOptions;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A twin keeps what its documents say, and nothing that was made false by rule. */
@NoLeaks
class FalseSentencesTest {

    private static final List<List<String>> PASSAGES = List.of(
            List.of(
                    "The harbour of Velm was founded by Captain Aldous Ferrow in 1764.",
                    "In March 1790 a storm destroyed 42 ships, and the town rebuilt the quay under Marta Lindgren.",
                    "The quay is 310 metres long and can hold more than 60 boats.",
                    "Ferries leave for Sandholm every Tuesday and take 25 minutes.",
                    "The old lighthouse was not lit before 1801, when Jonas Birk became its first keeper."),
            List.of(
                    "The compiler reads the sources in two passes.",
                    "The first pass takes 3 seconds, while the second pass takes 40 seconds.",
                    "Without the cache the memory rises above 900 MB.",
                    "The parser was written by Ada Quist and the optimizer by Bo Tanner.",
                    "A build that fails is never stored, but its log is kept for 14 days."),
            List.of(
                    "The queen gave the miller a golden bowl, and the miller gave the queen his daughter.",
                    "The miller lived near the forest with his three sons.",
                    "After the feast the eldest son went to the castle of King Orm.",
                    "The giant was older than the king and could not read.",
                    "The dragon guarded the tower for seven years."));

    @Test
    void nothingThatWasMadeFalseIsKept() {
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (long seed = 1; seed <= 20; seed++) {
            for (List<String> passage : PASSAGES) {
                for (int i = 0; i < passage.size(); i++) {
                    for (FalseSentence made : FalseSentences.of(passage, i, new Random(seed))) {
                        kinds.add(made.kind());
                        assertThat(isKept(passage, passage.get(i), made.text()))
                                .as("seed %d, %s", seed, made)
                                .isFalse();
                    }
                }
            }
        }
        assertThat(kinds).containsExactlyInAnyOrder(Kind.values());
    }

    @Test
    void whatTheDocumentsSayIsKept() {
        for (List<String> passage : PASSAGES) {
            for (String sentence : passage) {
                for (TrueSentence made : TrueSentences.of(sentence)) {
                    assertThat(isKept(passage, sentence, made.text()))
                            .as("%s", made)
                            .isTrue();
                }
            }
        }
    }

    private static boolean isKept(List<String> passage, String source, String written) {
        String text = String.join(" ", passage);
        Hit hit =
                new Hit(new Passage("p", "p.md", List.of(), text, 0, text.length(), Location.lines(1, 1), Map.of()), 1);
        try (FakeGenerator model = FakeGenerator.saying(written)) {
            return Twin.builder()
                            .retriever(query -> List.of(hit))
                            .generator(model)
                            .options(TwinOptions.builder()
                                    .style(TwinOptions.Style.WRITE)
                                    .minOverlap(0)
                                    .build())
                            .build()
                            .ask("Is it true: " + source)
                            .kind()
                    == Answer.Kind.WRITTEN;
        }
    }
}
