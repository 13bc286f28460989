package dev.pollux.rag.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Retriever;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetrievalCollectionTest {

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectory(folder.resolve("qrels"));
        Files.writeString(
                folder.resolve("corpus.jsonl"),
                "{\"_id\": \"1\", \"title\": \"One\", \"text\": \"First.\"}\n\n"
                        + "{\"_id\": \"2\", \"title\": \"\", \"text\": \"Second.\"}\n");
        Files.writeString(
                folder.resolve("queries.jsonl"),
                "{\"_id\": \"q\", \"text\": \"which\"}\n{\"_id\": \"r\", \"text\": \"none\"}\n"
                        + "{\"_id\": \"unjudged\", \"text\": \"what\"}\n");
        Files.writeString(folder.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\t2\t1\nq\t1\t0\nr\t1\t0\n");
    }

    @Test
    void aBeirFolderIsRead() {
        RetrievalCollection collection = RetrievalCollection.beir(folder);
        assertThat(collection.documents())
                .containsExactly(
                        new Document("1", "text/plain", "One\nFirst.", Map.of("title", "One")),
                        new Document("2", "text/plain", "Second.", Map.of()));
        assertThat(collection.queries()).isEqualTo(Map.of("q", "which", "r", "none"));
        assertThat(collection.judgements()).isEqualTo(Map.of("q", Map.of("2", 1, "1", 0), "r", Map.of("1", 0)));
    }

    @Test
    void aDocumentRanksWhereItsBestPassageDoesAndQueriesWithoutAnAnswerAreNotAsked() {
        Retriever retriever = query ->
                Stream.of("1#0", "1#1", "2#0").map(RetrievalCollectionTest::hit).toList();
        RetrievalScores scores = RetrievalEvaluation.on(RetrievalCollection.beir(folder))
                .evaluate(retriever)
                .run();
        assertThat(scores.queries()).isEqualTo(1);
        assertThat(scores.mrrAt10()).isEqualTo(0.5);
        assertThat(scores.mapAt100()).isEqualTo(0.5);
        assertThat(scores.recallAt100()).isEqualTo(1);
        assertThat(scores.ndcgAt10()).isEqualTo(Math.log(2) / Math.log(3), within(1e-12));
        assertThat(scores.ndcgByQuery()).containsOnlyKeys("q");
    }

    @Test
    void aMalformedLineIsNamed() throws IOException {
        Path corpus = folder.resolve("corpus.jsonl");
        Files.writeString(corpus, "{\"_id\": \"1\", \"text\": \"a\"}\n{\"_id\": 2, \"text\": \"b\"}\n");
        assertThatThrownBy(() -> RetrievalCollection.beir(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(corpus + " is malformed in line 2: it has no string '_id'");
        Path qrels = folder.resolve("qrels/test.tsv");
        Files.writeString(qrels, "head\nq 1 1\n");
        assertThatThrownBy(() -> RetrievalCollection.beir(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(qrels + " is malformed in line 2: ");
    }

    @Test
    void anAbsentFileIsNamed() throws IOException {
        Files.delete(folder.resolve("queries.jsonl"));
        assertThatThrownBy(() -> RetrievalCollection.beir(folder))
                .isInstanceOf(StorageException.class)
                .hasMessage(folder.resolve("queries.jsonl")
                        + " cannot be read; a BEIR folder has corpus.jsonl, queries.jsonl and qrels/test.tsv");
    }

    private static Hit hit(String id) {
        return new Hit(new Passage(id, id.substring(0, 1), List.of(), "x", 0, 1, Location.lines(1, 1), Map.of()), 1);
    }
}
