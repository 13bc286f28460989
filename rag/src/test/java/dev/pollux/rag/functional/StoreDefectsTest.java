package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What embeddable vector stores are known to get wrong. */
class StoreDefectsTest {

    @TempDir
    private Path folder;

    private HashingEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        embedder = new HashingEmbedder(32, 512);
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void deletedDocumentsDoNotFillTheResult() {
        ingest(documents(0, 200));
        knowledge.delete("s", IntStream.range(0, 150).mapToObj(i -> "d" + i).toList());
        assertThat(knowledge.denseRetriever().retrieve(Query.of("text number 3", 10)))
                .hasSize(10)
                .allSatisfy(hit -> assertThat(number(hit)).isGreaterThanOrEqualTo(150));
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("text", 10))).hasSize(10);
    }

    @Test
    void anIdThatStandsTwiceHasOneText() {
        ingest(List.of(document("x", "old words")));
        ingest(List.of(document("x", "new words")));
        assertThat(knowledge.retriever().retrieve(Query.of("words")))
                .extracting(hit -> hit.passage().text())
                .containsExactly("new words");
        List<Document> twice = List.of(document("x", "a"), document("x", "b"));
        assertThatThrownBy(() -> DocumentSource.of("s", twice))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Document id x occurs twice in source s; ids must be unique");
    }

    @Test
    void whatIsAddedAfterReopeningIsFound() {
        ingest(documents(0, 50));
        reopen();
        ingest(documents(0, 51));
        assertThat(number(best("text number 50"))).isEqualTo(50);
    }

    @Test
    void idsAndTextsStayTogetherThroughDeletesAndReopening() {
        ingest(documents(0, 100));
        knowledge.delete("s", IntStream.range(0, 10).mapToObj(i -> "d" + i).toList());
        reopen();
        checkAll(10, 100);
        List<Document> more = new ArrayList<>(documents(10, 101));
        ingest(more);
        reopen();
        checkAll(10, 101);
    }

    @Test
    void aTextOfAnyLengthIsKept() {
        String text = "A sentence about elephants. ".repeat(4000);
        ingest(List.of(document("long", text)));
        reopen();
        assertThat(text.length()).isGreaterThan(70_000);
        List<Hit> hits = knowledge.retriever().retrieve(Query.of("elephants", 1000));
        assertThat(hits).hasSize(knowledge.stats().passages());
        assertThat(hits.stream().mapToInt(hit -> hit.passage().text().length()).sum())
                .isGreaterThan(text.length() - 2 * hits.size() - 1);
    }

    @Test
    void addingOneReadsAndEmbedsOnlyThatOne() {
        ingest(documents(0, 300));
        long before = embedder.embedded();
        ingest(documents(0, 301));
        assertThat(embedder.embedded() - before).isEqualTo(1);
        assertThat(number(best("text number 300"))).isEqualTo(300);
    }

    private void checkAll(int from, int to) {
        for (int i = from; i < to; i++) {
            assertThat(number(best("text number " + i + " n" + i))).isEqualTo(i);
        }
    }

    private Hit best(String query) {
        return knowledge.denseRetriever().retrieve(Query.of(query, 1)).get(0);
    }

    private static int number(Hit hit) {
        assertThat(hit.passage().text()).isEqualTo(text(hit.passage().document().substring(1)));
        return Integer.parseInt(hit.passage().document().substring(1));
    }

    private void reopen() {
        knowledge.close();
        open();
    }

    private void ingest(List<Document> documents) {
        knowledge.ingest(DocumentSource.of("s", documents)).run();
    }

    private static List<Document> documents(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> document("d" + i, text(String.valueOf(i))))
                .toList();
    }

    private static String text(String number) {
        return "text number " + number + " n" + number;
    }

    private static Document document(String id, String text) {
        return new Document(id, "text/plain", text, Map.of());
    }
}
