package dev.pollux.langchain4j;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.data.document.Document;
import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.retriever.EmbeddingStoreContentRetriever;
import dev.langchain4j.rag.query.Query;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor;
import dev.langchain4j.store.embedding.filter.Filter;
import dev.langchain4j.store.embedding.filter.comparison.ContainsString;
import dev.langchain4j.store.embedding.inmemory.InMemoryEmbeddingStore;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class EmbeddingStoreTest {

    private static final int DIMENSION = 32;

    /** Float vectors against the doubles of the other store. */
    private static final double ROUNDING = 1e-5;

    @TempDir
    Path folder;

    private FakeEmbedder embedder;
    private KnowledgeBase knowledge;
    private EmbeddingStore<TextSegment> store;

    @BeforeEach
    void open() {
        embedder = FakeEmbedder.open(DIMENSION, 512);
        knowledge = KnowledgeBase.open(folder, embedder);
        store = ToLangChain4j.embeddingStore(knowledge, "segments");
    }

    @AfterEach
    void close() {
        knowledge.close();
        embedder.close();
    }

    @Test
    void aSegmentIsFoundWithIdVectorTextAndTypedMetadata() {
        UUID uuid = UUID.fromString("6b3b7a0e-9f54-4f0b-8f2b-6a3c4c9f7f11");
        TextSegment segment = TextSegment.from(
                "The boat.",
                Metadata.from(Map.of(
                        "name", "Heron", "year", 1998, "length", 7L, "price", 1.5, "depth", 0.5f, "id", uuid, "a=b,c%",
                        3)));
        String id = store.add(axis(1), segment);

        EmbeddingMatch<TextSegment> match = only(search(axis(1)).build());

        assertThat(match.embeddingId()).isEqualTo(id);
        assertThat(match.embedded()).isEqualTo(segment);
        assertThat(match.embedding()).isEqualTo(axis(1));
        assertThat(match.score()).isCloseTo(1, within(ROUNDING));
    }

    @Test
    void embeddingsWithoutSegmentsAreFoundToo() {
        List<String> ids = store.addAll(List.of(axis(0), axis(1)));
        store.add("mine", axis(2));

        assertThat(store.search(search(axis(2)).maxResults(3).build()).matches())
                .extracting(EmbeddingMatch::embeddingId)
                .startsWith("mine")
                .containsAll(ids);
        assertThat(only(search(axis(2)).build()).embedded()).isNull();
    }

    @Test
    void theSameIdReplaces() {
        store.addAll(List.of("a"), List.of(axis(0)), List.of(TextSegment.from("first")));
        store.addAll(List.of("a"), List.of(axis(1)), List.of(TextSegment.from("second")));

        assertThat(store.search(search(axis(0)).maxResults(9).build()).matches())
                .extracting(match -> match.embedded().text())
                .containsExactly("second");
    }

    @Test
    void leastScoreAndOppositeVectors() {
        store.add(axis(0), TextSegment.from("same"));
        store.add(axis(1), TextSegment.from("across"));

        assertThat(store.search(search(axis(0)).maxResults(9).minScore(0.6).build())
                        .matches())
                .extracting(match -> match.embedded().text())
                .containsExactly("same");
        assertThat(only(search(axis(1, -1)).maxResults(9).minScore(0.4).build()).score())
                .isCloseTo(0.5, within(ROUNDING));
    }

    @Test
    void idsFiltersAndEverythingAreRemoved() {
        store.addAll(
                List.of("a", "b", "c", "d"),
                List.of(axis(0), axis(1), axis(2), axis(3)),
                IntStream.range(0, 4)
                        .mapToObj(i -> TextSegment.from("text " + i, Metadata.from(Map.of("n", i))))
                        .toList());
        store.remove("a");
        store.removeAll(metadataKey("n").isGreaterThanOrEqualTo(3));
        assertThat(ids()).containsExactlyInAnyOrder("b", "c");

        store.removeAll();
        assertThat(ids()).isEmpty();
        assertThatThrownBy(() -> store.removeAll(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("ids must hold at least one id but was []");
    }

    @Test
    void otherSourcesAndStoresAreNeitherFoundNorRemoved() {
        EmbeddingStore<TextSegment> other = ToLangChain4j.embeddingStore(knowledge, "others");
        knowledge
                .ingest(DocumentSource.of(
                        "docs",
                        List.of(new dev.pollux.retrieval.Document("d", "text/plain", "text", Map.of("n", "1")))))
                .run();
        other.add(axis(0), TextSegment.from("text", Metadata.from("n", "1")));
        store.add(axis(0), TextSegment.from("text", Metadata.from("n", "1")));

        assertThat(store.search(search(axis(0)).maxResults(9).build()).matches())
                .hasSize(1);
        store.removeAll(metadataKey("n").isEqualTo("1"));
        assertThat(store.search(search(axis(0)).maxResults(9).build()).matches())
                .isEmpty();
        assertThat(other.search(search(axis(0)).maxResults(9).build()).matches())
                .hasSize(1);
        assertThat(knowledge.passages("docs", "d")).hasSize(1);
    }

    @Test
    void partsOfTextsAreRefused() {
        assertThatThrownBy(() -> store.search(
                        search(axis(0)).filter(new ContainsString("a", "b")).build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage(
                        "Pollux has no filter for ContainsString(key=a, comparisonValue=b); use comparisons of whole"
                                + " values, In, And, Or and Not");
    }

    @Test
    void anotherDimensionIsRefused() {
        assertThatThrownBy(() -> store.add("a", Embedding.from(new float[] {1, 2})))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Document a: A vector must have dimension 32, that of the embedder fake 32, but had 2; embed"
                                + " with the model that the knowledge base was created with");
    }

    /** The store of LangChain4j is the reference. */
    @Test
    void itFindsWhatTheStoreInMemoryFinds() {
        long seed = new Random().nextLong();
        System.out.println("EmbeddingStoreTest seed " + seed);
        Random random = new Random(seed);
        InMemoryEmbeddingStore<TextSegment> reference = new InMemoryEmbeddingStore<>();
        List<String> ids = IntStream.range(0, 200).mapToObj(i -> "id" + i).toList();
        List<Embedding> vectors = ids.stream().map(id -> vector(random)).toList();
        List<TextSegment> segments = ids.stream()
                .map(id -> TextSegment.from("text of " + id, metadata(random)))
                .toList();
        store.addAll(ids, vectors, segments);
        reference.addAll(ids, vectors, segments);

        for (int i = 0; i < 200; i++) {
            Filter filter = RandomFilters.filter(random, 3);
            EmbeddingSearchRequest request =
                    search(vector(random)).maxResults(7).filter(filter).build();
            List<EmbeddingMatch<TextSegment>> expected =
                    reference.search(request).matches();
            List<EmbeddingMatch<TextSegment>> found = store.search(request).matches();
            assertThat(found)
                    .as("%s", filter)
                    .extracting(EmbeddingMatch::embeddingId)
                    .isEqualTo(
                            expected.stream().map(EmbeddingMatch::embeddingId).toList());
            assertThat(found)
                    .extracting(EmbeddingMatch::embedded)
                    .isEqualTo(expected.stream().map(EmbeddingMatch::embedded).toList());
            for (int j = 0; j < found.size(); j++) {
                assertThat(found.get(j).score()).isCloseTo(expected.get(j).score(), within(ROUNDING));
            }
        }
    }

    @Test
    void anIngestorFillsItAndARetrieverOfLangChain4jReadsIt() {
        EmbeddingModel model = ToLangChain4j.embeddingModel(embedder);
        EmbeddingStoreIngestor.builder()
                .embeddingModel(model)
                .embeddingStore(store)
                .build()
                .ingest(List.of(
                        Document.from("The boat lies in the harbour of Husum.", Metadata.from("year", "2024")),
                        Document.from("The plum tree was planted by our neighbour.", Metadata.from("year", "1998"))));

        List<Content> contents = EmbeddingStoreContentRetriever.builder()
                .embeddingModel(ToLangChain4j.embeddingModel(embedder, TextRole.QUERY))
                .embeddingStore(store)
                .maxResults(1)
                .build()
                .retrieve(Query.from("Which harbour?"));

        assertThat(contents)
                .extracting(content -> content.textSegment().text())
                .containsExactly("The boat lies in the harbour of Husum.");
    }

    private static Metadata metadata(Random random) {
        Metadata metadata = new Metadata();
        if (random.nextInt(4) > 0) {
            metadata.put("team", random.nextBoolean() ? "red" : "blue, \"dark\"");
        }
        if (random.nextInt(4) > 0) {
            metadata.put("year", 2020 + random.nextInt(5));
        }
        if (random.nextInt(4) > 0) {
            metadata.put("price", random.nextInt(10) / 4.0);
        }
        return metadata;
    }

    private List<String> ids() {
        return store.search(search(axis(0)).maxResults(9).build()).matches().stream()
                .map(EmbeddingMatch::embeddingId)
                .toList();
    }

    private EmbeddingMatch<TextSegment> only(EmbeddingSearchRequest request) {
        return store.search(request).matches().get(0);
    }

    private static EmbeddingSearchRequest.EmbeddingSearchRequestBuilder search(Embedding vector) {
        return EmbeddingSearchRequest.builder().queryEmbedding(vector);
    }

    private static Embedding vector(Random random) {
        float[] vector = new float[DIMENSION];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return Embedding.from(vector);
    }

    private static Embedding axis(int axis) {
        return axis(axis, 1);
    }

    private static Embedding axis(int axis, float length) {
        float[] vector = new float[DIMENSION];
        vector[axis] = length;
        return Embedding.from(vector);
    }
}
