package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.text.Sentence;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EvidencePassageTest {

    @Test
    void aLineIsCitedWithTheHeadingsAboveIt() {
        String text =
                "# Boats ##\n\nTriremes.\n\n## Argo\n\nHer keel.\n\n### Crew\n\nFifty.\n\nThe Sea\n-------\n\nSalt.";
        assertThat(citedHeadings(List.of("Boats"), text))
                .containsExactly("Boats", "Boats > Argo", "Boats > Argo > Crew", "Boats > The Sea");
    }

    @Test
    void headingsOutsideThePassageStandBeforeThoseInIt() {
        String text = "Triremes.\n\n### Crew\n\nFifty.\n\n## Sea\n\nSalt.";
        assertThat(citedHeadings(List.of("Guide", "Boats"), text))
                .containsExactly("Guide > Boats", "Guide > Boats > Crew", "Guide > Boats > Sea");
    }

    @Test
    void aHeadingOfThePassageThatStandsInItCountsOnce() {
        String text = "## Argo\n\nHer keel.\n\n### Crew\n\nFifty.";
        assertThat(citedHeadings(List.of("Boats", "Argo"), text))
                .containsExactly("Boats > Argo", "Boats > Argo > Crew");
    }

    @Test
    void codeThatBeganBeforeThePassageIsCode() {
        Passage passage = new Passage(
                "p",
                Origin.of("a.md"),
                List.of(),
                "ask(\"Who?\");\n```\nAn answer.",
                5,
                31,
                Location.lines(2, 4),
                "```\n",
                "text/markdown",
                Map.of());
        assertThat(EvidencePassage.of(passage).lines())
                .extracting(line -> line.range().kind())
                .containsExactly(Sentence.Kind.CODE, Sentence.Kind.PROSE);
    }

    private static List<String> citedHeadings(List<String> headings, String text) {
        EvidencePassage source = EvidencePassage.of(
                new Passage("p", "a.md", headings, text, 0, text.length(), Location.lines(1, 20), Map.of()));
        return source.lines().stream()
                .filter(SentenceSpan::isStatement)
                .map(line -> source.cite(1, line).heading())
                .toList();
    }
}
