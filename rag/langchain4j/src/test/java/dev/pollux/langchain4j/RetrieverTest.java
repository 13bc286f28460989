package dev.pollux.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.rag.query.Query;
import dev.langchain4j.store.embedding.inmemory.InMemoryEmbeddingStore;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.FakeRetriever;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.RetrieverContract;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@NoLeaks
class RetrieverTest {

    private static final List<String> TEXTS = List.of(
            "The boat lies in the harbour of Husum.",
            "The boat was built in the harbour of Wyk.",
            "No boat is older than the harbour.",
            "The plum tree was planted by our neighbour.");

    private final FakeEmbedder embedder = FakeEmbedder.open();

    @AfterEach
    void close() {
        embedder.close();
    }

    @Test
    void aPassageIsAContentWithItsPlace() {
        Passage passage = new Passage(
                "docs#boat.md#0",
                new Origin("docs", "boat.md", "/docs/boat.md", List.of()),
                List.of("Boats", "Heron"),
                "In Husum.",
                0,
                9,
                Location.pages(3, 3),
                "| place |\n",
                "text/markdown",
                Map.of("year", "2024", "source", "of the author"));
        ContentRetriever retriever = ToLangChain4j.contentRetriever(query -> List.of(new Hit(passage, 0.5)), 3);

        assertThat(retriever.retrieve(Query.from("Where?"))).singleElement().satisfies(content -> {
            assertThat(content.textSegment().text()).isEqualTo("| place |\nIn Husum.");
            assertThat(content.textSegment().metadata().toMap())
                    .isEqualTo(Map.of(
                            "year", "2024",
                            "source", "of the author",
                            "document", "boat.md",
                            "path", "/docs/boat.md",
                            "heading", "Boats > Heron",
                            "location", "page 3"));
            assertThat(content.metadata())
                    .isEqualTo(Map.of(ContentMetadata.SCORE, 0.5, ContentMetadata.EMBEDDING_ID, "docs#boat.md#0"));
        });
    }

    @Test
    void theHostDecidesTheQuery() {
        FakeRetriever documents = FakeRetriever.over(
                new Document("a", "text/plain", "The boat.", Map.of("tenant", "acme")),
                new Document("b", "text/plain", "The boat too.", Map.of("tenant", "other")));
        ContentRetriever retriever = ToLangChain4j.contentRetriever(
                documents,
                query -> dev.pollux.retrieval.Query.of(query.text(), 5).withFilter(Filter.equal("tenant", "acme")));

        assertThat(retriever.retrieve(Query.from("boat")))
                .extracting(content -> content.textSegment().metadata().getString("document"))
                .containsExactly("a");
        assertThatThrownBy(() -> ToLangChain4j.contentRetriever(documents, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("topK must be in [1, 10000] but was 0");
    }

    @Test
    void contentsWithoutScoresAreRanked() {
        ContentRetriever contents = query -> List.of(Content.from("first"), Content.from("second"));
        Retriever retriever = FromLangChain4j.retriever(contents, "web");

        List<Hit> hits = retriever.retrieve(dev.pollux.retrieval.Query.of("x"));

        assertThat(hits).extracting(Hit::score).containsExactly(1.0, 0.5);
        assertThat(hits).extracting(hit -> hit.passage().id()).containsExactly("web#1", "web#2");
        assertThatThrownBy(() ->
                        retriever.retrieve(dev.pollux.retrieval.Query.of("x").withFilter(Filter.equal("a", 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Retriever web cannot filter but the query has the filter a = 1; use a retriever that can,"
                        + " such as a knowledge base's, or ask without a filter");
    }

    @Test
    void theNameOfAFileNamesTheDocument() {
        TextSegment segment = TextSegment.from(
                "text", Metadata.from(Map.of("file_name", "boat.md", "absolute_directory_path", "/docs", "page", 3)));
        Retriever retriever = FromLangChain4j.retriever(query -> List.of(Content.from(segment)), "files");

        Passage passage =
                retriever.retrieve(dev.pollux.retrieval.Query.of("x")).get(0).passage();

        assertThat(passage.origin()).isEqualTo(new Origin("files", "boat.md", "/docs/boat.md", List.of()));
        assertThat(passage.metadata()).containsEntry("page", "3");
    }

    @Nested
    class OfAContentRetriever implements RetrieverContract {
        @Override
        public Retriever retriever() {
            FakeRetriever documents = FakeRetriever.over(TEXTS.stream()
                    .map(text -> new Document(text.substring(0, 12), "text/plain", text, Map.of("n", "1")))
                    .toArray(Document[]::new));
            return FromLangChain4j.retriever(ToLangChain4j.contentRetriever(documents, 100), "documents");
        }

        @Override
        public String question() {
            return "boat harbour";
        }
    }

    @Nested
    class OfAnEmbeddingStore implements RetrieverContract {
        private final InMemoryEmbeddingStore<TextSegment> store = new InMemoryEmbeddingStore<>();

        @BeforeEach
        void fill() {
            EmbeddingModel model = ToLangChain4j.embeddingModel(embedder);
            for (int i = 0; i < TEXTS.size(); i++) {
                TextSegment segment = TextSegment.from(TEXTS.get(i), Metadata.from("n", "n" + i));
                store.add(model.embed(segment).content(), segment);
            }
        }

        @Override
        public Retriever retriever() {
            return FromLangChain4j.retriever(store, ToLangChain4j.embeddingModel(embedder), "store");
        }

        @Override
        public String question() {
            return "boat harbour";
        }

        /** The contract asks for a field that exists, which LangChain4j cannot express; a comparison it can. */
        @Override
        @Test
        public void aFilterHoldsForEveryHitOrIsRefused() {
            Filter filter =
                    Filter.in("n", "n1", "n3").and(Filter.equal("n", "n0").negated());
            assertThat(retriever()
                            .retrieve(dev.pollux.retrieval.Query.of(question()).withFilter(filter)))
                    .extracting(hit -> hit.passage().metadata().get("n"))
                    .containsExactly("n1", "n3");
        }
    }
}
