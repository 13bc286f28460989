package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A knowledge base of documents d0, d1, and so on, each with its number as its text. */
abstract class KnowledgeTestCase {

    @TempDir
    private Path folder;

    final HashingEmbedder embedder = new HashingEmbedder(32, 512);
    KnowledgeBase knowledge;

    @BeforeEach
    final void open() {
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    @AfterEach
    final void close() {
        knowledge.close();
    }

    final void reopen() {
        close();
        open();
    }

    final void ingest(List<Document> documents) {
        knowledge.ingest(DocumentSource.of("s", documents)).run();
    }

    /** Deletes the documents [from, to). */
    final void delete(int from, int to) {
        knowledge.delete("s", IntStream.range(from, to).mapToObj(i -> "d" + i).toList());
    }

    /** Asserts that a word finds a text, and no text besides, by the words alone. */
    final void assertFound(String text, String word) {
        ingest(List.of(document("other", "Nothing of the kind."), document("due", text)));
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of(word)))
                .extracting(hit -> hit.passage().document())
                .containsExactly("due");
    }

    /** The documents [from, to). */
    static List<Document> documents(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> document("d" + i, text(i)))
                .toList();
    }

    static Document document(String id, String text) {
        return new Document(id, "text/plain", text, Map.of());
    }

    static String text(int number) {
        return "text number " + number + " n" + number;
    }
}
