package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.retrieval.Retrievers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilteredRetrievalTest {

    @TempDir
    private Path folder;

    private HashingEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        embedder = new HashingEmbedder(32, 64);
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void aFilterGivesTheUnfilteredListWithoutWhatItExcludes() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            documents.add(document("d" + i, words(random), metadata(random)));
        }
        ingest("s", documents.subList(0, 70));
        ingest("t", documents.subList(70, 120)); // a segment of its own
        knowledge.delete("s", List.of("d3", "d7", "d20"));
        for (int i = 0; i < 40; i++) {
            Filter filter = filter(random, 2);
            String question = words(random);
            for (Retriever arm : List.of(knowledge.denseRetriever(), knowledge.lexicalRetriever())) {
                List<Hit> expected = arm.retrieve(Query.of(question, 1_000)).stream()
                        .filter(hit -> filter.matches(hit.passage().metadata()))
                        .toList();
                assertThat(arm.retrieve(Query.of(question, 1_000).withFilter(filter)))
                        .as("seed %d, %s, %s", seed, question, filter)
                        .isEqualTo(expected);
                assertThat(arm.retrieve(Query.of(question, 3).withFilter(filter)))
                        .as("seed %d, %s, %s", seed, question, filter)
                        .isEqualTo(expected.subList(0, Math.min(3, expected.size())));
            }
            Query query = Query.of(question, 10).withFilter(filter);
            assertThat(knowledge.retriever().retrieve(query))
                    .as("seed %d, %s, %s", seed, question, filter)
                    .isEqualTo(Retrievers.fused(knowledge.denseRetriever(), knowledge.lexicalRetriever())
                            .retrieve(query));
        }
    }

    @Test
    void tenThatAreAskedForAndAllowedAreFound() {
        ingest(
                "s",
                IntStream.range(0, 1_000)
                        .mapToObj(i -> document(
                                "d" + i,
                                "merge models ".repeat(i % 100 == 0 ? 1 : 3) + i,
                                Map.of("rare", String.valueOf(i % 100 == 0))))
                        .toList());
        Query query = Query.of("merge models", 10).withFilter(Filter.equal("rare", true));
        for (Retriever retriever : retrievers()) {
            assertThat(retriever.retrieve(query))
                    .hasSize(10)
                    .allSatisfy(hit -> assertThat(hit.passage().metadata()).containsEntry("rare", "true"));
        }
    }

    @Test
    void ofDuplicatesOneThatIsAllowedIsFoundAndNoOtherIsNamed() {
        ingest(
                "s",
                List.of(
                        document("a", "Parental leave is long.", Map.of("tenant", "a")),
                        document("b1", "Parental leave is long.", Map.of("tenant", "b")),
                        document("b2", "Parental leave is long.", Map.of("tenant", "b"))));
        for (Retriever retriever : retrievers()) {
            assertThat(found(retriever, Filter.all())).containsExactly("a [b1, b2]");
            assertThat(found(retriever, Filter.equal("tenant", "a"))).containsExactly("a []");
            assertThat(found(retriever, Filter.equal("tenant", "b"))).containsExactly("b1 [b2]");
            assertThat(found(retriever, Filter.equal("tenant", "c"))).isEmpty();
        }
    }

    @Test
    void changedMetadataCountsAtOnceAndAfterReopening() {
        ingest("s", List.of(document("d", "Apples.", Map.of("year", "2023")), document("e", "Apples too.", Map.of())));
        Filter recent = Filter.atLeast("year", 2024);
        assertThat(found(knowledge.retriever(), recent)).isEmpty();
        ingest("s", List.of(document("d", "Apples.", Map.of("year", "2024")), document("e", "Apples too.", Map.of())));
        assertThat(found(knowledge.retriever(), recent)).containsExactly("d []");
        assertThat(found(knowledge.retriever(), recent.negated())).containsExactly("e []");
        knowledge.close();
        open();
        assertThat(found(knowledge.retriever(), recent)).containsExactly("d []");
    }

    @Test
    void aFixedFilterCannotBeLeft() {
        ingest(
                "s",
                List.of(
                        document("a", "Leave rules of a.", Map.of("tenant", "a")),
                        document("b", "Leave rules of b.", Map.of("tenant", "b"))));
        Retriever view = knowledge.retriever().filtered(Filter.equal("tenant", "a"));
        assertThat(found(view, Filter.all())).containsExactly("a []");
        assertThat(found(view, Filter.equal("tenant", "b"))).isEmpty();
        assertThat(found(view, Filter.equal("tenant", "a").or(Filter.equal("tenant", "b"))))
                .containsExactly("a []");
    }

    @Test
    void anEmptyKnowledgeBaseHasNothingToFilter() {
        assertThat(found(knowledge.retriever(), Filter.exists("year").negated()))
                .isEmpty();
    }

    private List<Retriever> retrievers() {
        return List.of(knowledge.retriever(), knowledge.denseRetriever(), knowledge.lexicalRetriever());
    }

    private static List<String> found(Retriever retriever, Filter filter) {
        return retriever.retrieve(Query.of("parental leave rules apples").withFilter(filter)).stream()
                .map(hit -> hit.passage().document() + " " + hit.passage().copies())
                .toList();
    }

    private void ingest(String source, List<Document> documents) {
        knowledge.ingest(DocumentSource.of(source, documents)).run();
    }

    private static Document document(String id, String text, Map<String, String> metadata) {
        return new Document(id, "text/plain", text, metadata);
    }

    private static String words(Random random) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            words.append("word").append((char) ('a' + random.nextInt(20))).append(' ');
        }
        return words.toString();
    }

    private static Map<String, String> metadata(Random random) {
        Map<String, String> metadata = new HashMap<>();
        if (random.nextInt(5) > 0) {
            metadata.put("year", String.valueOf(2020 + random.nextInt(6)));
        }
        if (random.nextBoolean()) {
            metadata.put("department", random.nextBoolean() ? "hr" : "it");
        }
        return metadata;
    }

    private static Filter filter(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 4 : 7)) {
            case 0 -> Filter.equal("department", "hr");
            case 1 -> Filter.between("year", 2021, 2020 + random.nextInt(6));
            case 2 -> Filter.exists("year");
            case 3 -> Filter.in("year", 2020, "2021", 2025);
            case 4 -> filter(random, depth - 1).negated();
            case 5 -> filter(random, depth - 1).and(filter(random, depth - 1));
            default -> filter(random, depth - 1).or(filter(random, depth - 1));
        };
    }
}
