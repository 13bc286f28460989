package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Knowledge bases of the format before, from the files of one that its code wrote. */
class FormerFormatTest {

    private static final String BOATS =
            "# Boats\n\nThe Argo was rowed by fifty heroes.\n\n## Sails\n\nThe sails were made of linen.\n";

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(8, 64);

    @BeforeEach
    void copy() throws IOException, URISyntaxException {
        Path given = Path.of(
                Objects.requireNonNull(getClass().getResource("format-3/index")).toURI());
        Files.createDirectories(folder.resolve("kb/index"));
        try (Stream<Path> files = Files.list(given)) {
            for (Path file : files.toList()) {
                Files.copy(
                        file,
                        folder.resolve("kb/index").resolve(file.getFileName().toString()));
            }
        }
    }

    @Test
    void itIsReadAsItIs() throws IOException {
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder.resolve("kb"), embedder)) {
            assertThat(knowledge.stats().documents()).isEqualTo(2);
            Passage boats = best(knowledge, "Who rowed the Argo?");
            assertThat(boats.text()).isEqualTo(BOATS.strip());
            assertThat(boats.location()).isEqualTo(Location.lines(1, 7));
            assertThat(best(knowledge, "green tea").location()).isEqualTo(Location.lines(1, 2));
        }
        assertThat(format()).isEqualTo("3");
    }

    @Test
    void filtersHoldInIt() {
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder.resolve("kb"), embedder)) {
            Query query = Query.of("Green tea and the Argo").withFilter(Filter.atMost("year", 2024));
            for (var retriever :
                    List.of(knowledge.retriever(), knowledge.denseRetriever(), knowledge.lexicalRetriever())) {
                assertThat(retriever.retrieve(query))
                        .extracting(hit -> hit.passage().document())
                        .containsExactly("boats.md");
            }
        }
    }

    @Test
    void theFirstChangeMakesItTheFormatOfNow() throws IOException {
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            assertThat(format()).isEqualTo("3");
            knowledge
                    .ingest(DocumentSource.of("more", List.of(new Document("c", "text/plain", "Coffee.", Map.of()))))
                    .run();
            assertThat(format()).isEqualTo(String.valueOf(KnowledgeBase.FORMAT));
            assertThat(best(knowledge, "Who rowed the Argo?").location()).isEqualTo(Location.lines(1, 7));
        }
    }

    private static Passage best(KnowledgeBase knowledge, String question) {
        List<Hit> hits = knowledge.lexicalRetriever().retrieve(Query.of(question));
        return hits.get(0).passage();
    }

    private String format() throws IOException {
        try (FSDirectory directory = FSDirectory.open(folder.resolve("kb/index"))) {
            return SegmentInfos.readLatestCommit(directory).getUserData().get("pollux.format");
        }
    }
}
