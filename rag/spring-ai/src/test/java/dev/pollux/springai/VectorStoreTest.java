package dev.pollux.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.vectorstore.QuestionAnswerAdvisor;
import org.springframework.ai.document.Document;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.SimpleVectorStore;
import org.springframework.ai.vectorstore.VectorStore;

@NoLeaks
class VectorStoreTest {

    /** Float vectors against those of the other store. */
    private static final double ROUNDING = 1e-5;

    @TempDir
    Path folder;

    private FakeEmbedder embedder;
    private KnowledgeBase knowledge;
    private VectorStore store;

    @BeforeEach
    void open() {
        embedder = FakeEmbedder.open(256, 64);
        knowledge = KnowledgeBase.open(folder, embedder);
        store = ToSpringAi.vectorStore(knowledge, "documents");
    }

    @AfterEach
    void close() {
        knowledge.close();
        embedder.close();
    }

    @Test
    void aDocumentIsFoundWithIdScoreAndTypedMetadata() {
        Map<String, Object> metadata = Map.of(
                "name",
                "Heron",
                "year",
                1998,
                "length",
                7L,
                "price",
                1.5,
                "afloat",
                true,
                "tags",
                List.of("old", "red"));
        store.add(List.of(
                new Document("a", "The boat lies in the harbour of Husum.", metadata),
                new Document("b", "The plum tree was planted by our neighbour.", Map.of())));

        List<Document> found = store.similaritySearch(
                SearchRequest.builder().query("harbour boat").topK(1).build());

        assertThat(found).singleElement().satisfies(document -> {
            assertThat(document.getId()).isEqualTo("a");
            assertThat(document.getText()).isEqualTo("The boat lies in the harbour of Husum.");
            assertThat(document.getMetadata()).containsAllEntriesOf(metadata).hasSize(7);
            assertThat((double) document.getMetadata().get("distance"))
                    .isCloseTo(1 - document.getScore(), within(ROUNDING));
        });
    }

    @Test
    void aLongDocumentStaysWhole() {
        String text = "The heron flies over the harbour. ".repeat(100);
        store.add(List.of(new Document("a", text, Map.of())));

        assertThat(store.similaritySearch("heron harbour"))
                .extracting(Document::getText)
                .containsExactly(text);
    }

    @Test
    void idsAndFiltersAreDeleted() {
        store.add(List.of(
                new Document("a", "one", Map.of("n", 1)),
                new Document("b", "two", Map.of("n", 2)),
                new Document("c", "three", Map.of("n", 3))));
        store.delete(List.of("a"));
        store.delete("n >= 3");

        assertThat(store.similaritySearch("two")).extracting(Document::getId).containsExactly("b");
    }

    @Test
    void otherSourcesAreNeitherFoundNorDeleted() {
        knowledge
                .ingest(DocumentSource.of(
                        "docs",
                        List.of(new dev.pollux.retrieval.Document("d", "text/plain", "text", Map.of("n", "1")))))
                .run();
        store.add(List.of(new Document("a", "text", Map.of("n", 1))));

        assertThat(store.similaritySearch("text")).extracting(Document::getId).containsExactly("a");
        store.delete("n == 1");
        assertThat(store.similaritySearch("text")).isEmpty();
        assertThat(knowledge.passages("docs", "d")).hasSize(1);
    }

    @Test
    void theLanguageOfFiltersIsUnderstood() {
        store.add(List.of(
                new Document("a", "text", Map.of("team", "red", "year", 2024, "archived", false, "day", "2024-05-06")),
                new Document("b", "text", Map.of("team", "blue", "year", 2020, "archived", true, "day", "2023-01-01")),
                new Document("c", "text", Map.of())));

        assertThat(ids("team == 'red' && year >= 2024")).containsExactly("a");
        assertThat(ids("team in ['blue', 'green'] || archived == false")).containsExactlyInAnyOrder("a", "b");
        assertThat(ids("team nin ['blue']")).containsExactlyInAnyOrder("a", "c");
        assertThat(ids("team != 'red'")).containsExactlyInAnyOrder("b", "c");
        assertThat(ids("not (year < 2022)")).containsExactlyInAnyOrder("a", "c");
        assertThat(ids("day > '2024-01-01'")).containsExactly("a");
        assertThat(ids("team is null")).containsExactly("c");
        assertThat(ids("team is not null and (year == 2020 or year == 2021)")).containsExactly("b");
        assertThatThrownBy(() -> ids("team > 'm'"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Pollux orders numbers and ISO dates only but the filter was GT 'm' for field team; compare"
                        + " with a number or a date such as '2024-05-06'");
    }

    private List<String> ids(String filter) {
        return store
                .similaritySearch(SearchRequest.builder()
                        .query("text")
                        .topK(10)
                        .filterExpression(filter)
                        .build())
                .stream()
                .map(Document::getId)
                .toList();
    }

    /** The store of Spring AI is the reference, for fields that every document has. */
    @Test
    void itFindsWhatTheSimpleStoreFinds() {
        long seed = new Random().nextLong();
        System.out.println("VectorStoreTest seed " + seed);
        Random random = new Random(seed);
        SimpleVectorStore reference =
                SimpleVectorStore.builder(ToSpringAi.embeddingModel(embedder)).build();
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            documents.add(new Document("id" + i, words(random, 12), metadata(random)));
        }
        store.add(documents);
        reference.add(documents);

        for (int i = 0; i < 100; i++) {
            SearchRequest request = SearchRequest.builder()
                    .query(words(random, 5))
                    .topK(1 + random.nextInt(9))
                    .similarityThreshold(0.05)
                    .filterExpression(filter(random, 2))
                    .build();
            List<Document> expected = reference.similaritySearch(request);
            List<Document> found = store.similaritySearch(request);
            assertThat(found).as("%s", request).hasSameSizeAs(expected);
            for (int j = 0; j < found.size(); j++) {
                assertThat(found.get(j).getScore()).isCloseTo(expected.get(j).getScore(), within(ROUNDING));
            }
        }
    }

    private static String words(Random random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append("word").append(random.nextInt(60)).append(' ');
        }
        return text.toString().strip();
    }

    private static Map<String, Object> metadata(Random random) {
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("team", random.nextBoolean() ? "red" : "blue");
        metadata.put("year", 2020 + random.nextInt(5));
        metadata.put("afloat", random.nextBoolean());
        return metadata;
    }

    private static String filter(Random random, int depth) {
        int year = 2020 + random.nextInt(5);
        return switch (random.nextInt(depth == 0 ? 5 : 8)) {
            case 0 -> "team == 'red'";
            case 1 -> "team in ['blue', 'green']";
            case 2 -> "year >= " + year;
            case 3 -> "year != " + year;
            case 4 -> "afloat == true";
            case 5 -> "(" + filter(random, depth - 1) + ") && (" + filter(random, depth - 1) + ")";
            case 6 -> "(" + filter(random, depth - 1) + ") || (" + filter(random, depth - 1) + ")";
            default -> "not (" + filter(random, depth - 1) + ")";
        };
    }

    @Test
    void elementsOfListsMayHaveCommas() {
        store.add(List.of(new Document("a", "x", Map.of("tags", List.of("a, b", " c"), "none", List.of()))));
        assertThat(store.similaritySearch("x"))
                .singleElement()
                .satisfies(found -> assertThat(found.getMetadata())
                        .containsEntry("tags", List.of("a, b", " c"))
                        .containsEntry("none", List.of()));
        assertThat(store.getNativeClient()).contains(knowledge);
        assertThat(store.getName()).isNotBlank();
    }

    @Test
    void anAdvisorAnswersFromIt() {
        store.add(List.of(
                new Document("The boat lies in the harbour of Husum."),
                new Document("The plum tree was planted by our neighbour.")));
        try (FakeGenerator generator = FakeGenerator.answering(
                prompt -> prompt.toString().contains("harbour of Husum") ? "In Husum." : "I do not know.")) {
            String text = ChatClient.builder(ToSpringAi.chatModel(generator))
                    .defaultAdvisors(QuestionAnswerAdvisor.builder(store)
                            .searchRequest(SearchRequest.builder().topK(1).build())
                            .build())
                    .build()
                    .prompt("In which harbour does the boat lie?")
                    .call()
                    .content();

            assertThat(text).isEqualTo("In Husum.");
        }
    }
}
