package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FakeRetrieverTest implements RetrieverContract {

    private static final Document DOCUMENT = new Document(
            "guide.md",
            "text/markdown",
            "# Merging\n\n"
                    + "Models are merged\r\n"
                    + "by averaging.\n\n"
                    + "## Methods\n\n"
                    + "Models differ.\n\n"
                    + "# Soup\n\n"
                    + "Models of soup.\n"
                    + " \n"
                    + "Salt.",
            Map.of("author", "A"));

    @Override
    public Retriever retriever() {
        return FakeRetriever.over(DOCUMENT);
    }

    @Override
    public String question() {
        return "Which models are merged?";
    }

    @Test
    void paragraphsKnowTheirHeadingsAndLines() {
        List<Passage> passages = FakeRetriever.paragraphs(DOCUMENT);
        assertThat(passages)
                .extracting(Passage::heading)
                .containsExactly("Merging", "Merging > Methods", "Soup", "Soup");
        assertThat(passages)
                .extracting(Passage::location)
                .containsExactly(
                        Location.lines(3, 4), Location.lines(8, 8), Location.lines(12, 12), Location.lines(14, 14));
        assertThat(passages)
                .allSatisfy(p -> assertThat(p.text()).isEqualTo(DOCUMENT.text().substring(p.start(), p.end())));
        assertThat(FakeRetriever.whole(DOCUMENT).location()).isEqualTo(Location.lines(1, 14));
    }

    @Test
    void aPassageWithoutAWordOfTheQueryIsNotFound() {
        assertThat(retriever().retrieve(Query.of("zebra"))).isEmpty();
        assertThat(retriever().retrieve(Query.of("salt soup")))
                .extracting(Hit::score)
                .containsExactly(1.0, 0.5);
    }
}
