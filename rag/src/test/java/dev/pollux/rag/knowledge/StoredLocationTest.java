package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.rag.chunk.Chunk;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredLocationTest {

    @TempDir
    private Path folder;

    @Test
    void everyKindOfLocationComesBackFromTheIndex() {
        List<Location> locations =
                List.of(Location.lines(5, 7), Location.pages(3, 4), Location.cells("Costs, Q1", "A2:D5"));
        HashingEmbedder embedder = new HashingEmbedder(8, 64);
        try (Store store =
                Store.open(KnowledgeOptions.DEFAULTS.settings(folder.resolve("kb"), 8), embedder.info(), true)) {
            Document document = new Document("report", "text/plain", "apples", Map.of());
            PassageWriter block = new PassageWriter("1", document);
            for (Location location : locations) {
                block.passage(new Chunk(List.of(), "", 0, 6, location, "", "apples"), "key", new float[8]);
            }
            store.replace(IndexLayout.key("1", "report"), block.finish("hash", "version", KnownFiles.Stamp.NONE));
            SourceRecord source = new SourceRecord(
                    "1", "s", true, "", "", Instant.EPOCH, new SkippedFiles(Map.of(), 0, 0, List.of()), List.of());
            store.replace("1", List.of(source.fields()));
            store.commit();
            List<Hit> hits = store.read(snapshot -> {
                View view = snapshot.view(Filter.all());
                return view.hits(view.matching("apples", 10));
            });
            assertThat(hits).extracting(hit -> hit.passage().location()).containsExactlyElementsOf(locations);
        }
    }

    @Test
    void aPassageWithoutALocationIsDamage() {
        assertThatThrownBy(() -> StoredLocation.read(new org.apache.lucene.document.Document()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "A passage in the knowledge base has no firstLine and no other location; delete the knowledge"
                                + " base and ingest again");
    }
}
