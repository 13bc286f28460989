package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Seven defects that another store on JVector has. */
@NoLeaks
class RivalDefectsTest {

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(32, 64);

    @Test
    void aFilterIsNotIgnored() {
        try (KnowledgeBase knowledge = open()) {
            List<Document> documents = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                documents.add(document("d" + i, "leave " + i, Map.of("tenant", i % 2 == 0 ? "A" : "B")));
            }
            knowledge.ingest(DocumentSource.of("s", documents)).run();
            assertThat(knowledge
                            .denseRetriever()
                            .retrieve(Query.of("leave", 10).withFilter(Filter.equal("tenant", "A"))))
                    .hasSize(10)
                    .allSatisfy(hit -> assertThat(hit.passage().metadata()).containsEntry("tenant", "A"));
        }
    }

    @Test
    void deletedDocumentsDoNotFillTheList() {
        try (KnowledgeBase knowledge = open()) {
            upsert(knowledge, 0, 200);
            knowledge.delete("s", ids(0, 150));
            assertThat(knowledge.denseRetriever().retrieve(Query.of("text", 10)))
                    .hasSize(10);
        }
    }

    @Test
    void anIdAddedTwiceHasTheNewTextOnly() {
        try (KnowledgeBase knowledge = open()) {
            knowledge.upsert("s", List.of(document("x", "old words", Map.of()))).run();
            knowledge.upsert("s", List.of(document("x", "new words", Map.of()))).run();
            assertThat(texts(knowledge, "words")).containsExactly("new words");
        }
    }

    @Test
    void aVectorAddedAfterACommitIsFound() {
        try (KnowledgeBase knowledge = open()) {
            upsert(knowledge, 0, 50);
            knowledge.compact().run();
            knowledge
                    .upsert("s", List.of(document("late", "unheard zebra", Map.of())))
                    .run();
            assertThat(texts(knowledge, "unheard zebra").get(0)).isEqualTo("unheard zebra");
        }
        try (KnowledgeBase knowledge = open()) {
            assertThat(texts(knowledge, "unheard zebra").get(0)).isEqualTo("unheard zebra");
        }
    }

    @Test
    void idsStayWithTheirVectorsAfterDeletionAndReopening() {
        try (KnowledgeBase knowledge = open()) {
            upsert(knowledge, 0, 100);
            knowledge.delete("s", ids(0, 10));
        }
        try (KnowledgeBase knowledge = open()) {
            check(knowledge, 10, 100);
            upsert(knowledge, 100, 101);
        }
        try (KnowledgeBase knowledge = open()) {
            check(knowledge, 10, 101);
            knowledge.compact().run();
            check(knowledge, 10, 101);
        }
    }

    @Test
    void aLongTextIsStoredWhole() {
        String text = "A long sentence about leave. ".repeat(3_000);
        try (KnowledgeBase knowledge = open()) {
            knowledge.upsert("s", List.of(document("long", text, Map.of()))).run();
        }
        try (KnowledgeBase knowledge = open()) {
            assertThat(knowledge.documents().get(0).characters()).isEqualTo(text.length());
            int characters = knowledge.denseRetriever().retrieve(Query.of("leave", 10_000)).stream()
                    .mapToInt(hit -> hit.passage().text().length())
                    .sum();
            assertThat(characters).isGreaterThan(text.length() * 9 / 10);
        }
    }

    @Test
    void anAddedVectorRebuildsNothing() {
        try (KnowledgeBase knowledge = open()) {
            upsert(knowledge, 0, 300);
            knowledge.compact().run();
            for (int i = 300; i < 310; i++) {
                upsert(knowledge, i, i + 1);
                assertThat(knowledge
                                .denseRetriever()
                                .retrieve(Query.of("text " + word(i), 1))
                                .get(0)
                                .passage()
                                .document())
                        .isEqualTo("d" + i);
                assertThat(knowledge.index().run().graphs()).isZero();
            }
        }
    }

    private KnowledgeBase open() {
        return KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    private static void upsert(KnowledgeBase knowledge, int from, int to) {
        List<Document> documents = new ArrayList<>();
        for (int i = from; i < to; i++) {
            documents.add(document("d" + i, "text " + word(i), Map.of()));
        }
        knowledge.upsert("s", documents).run();
    }

    private static void check(KnowledgeBase knowledge, int from, int to) {
        for (int i = from; i < to; i++) {
            List<Hit> hits = knowledge.denseRetriever().retrieve(Query.of("text " + word(i), 1));
            assertThat(hits.get(0).passage().document()).isEqualTo("d" + i);
        }
    }

    private static List<String> ids(int from, int to) {
        List<String> ids = new ArrayList<>();
        for (int i = from; i < to; i++) {
            ids.add("d" + i);
        }
        return ids;
    }

    private static List<String> texts(KnowledgeBase knowledge, String query) {
        return knowledge.denseRetriever().retrieve(Query.of(query, 10)).stream()
                .map(hit -> hit.passage().text())
                .toList();
    }

    private static String word(int i) {
        return "unique" + i * 7919 + "x";
    }

    private static Document document(String id, String text, Map<String, String> metadata) {
        return new Document(id, "text/plain", text, metadata);
    }
}
