package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Query;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a folder of files to the passages that answer a question. */
class FolderToHitsTest {

    @TempDir
    private Path folder;

    @Test
    void aFolderIsIngestedAndFoundAndFollowsItsFiles() throws IOException {
        Path docs = Files.createDirectories(folder.resolve("docs/guide"));
        Files.writeString(docs.resolve("merging.md"), "# Merging\n\nTwo models are merged by a task vector.\n");
        Files.writeString(docs.resolve("coffee.txt"), "Coffee is brewed at ninety degrees.\n");
        DocumentSource source = DocumentSource.folder(folder.resolve("docs"));
        HashingEmbedder embedder = new HashingEmbedder(64, 64);
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            IngestReport first = knowledge.ingest(source).run();
            assertThat(first.added()).isEqualTo(2);
            assertThat(first.embedded()).isEqualTo(2);

            List<Hit> hits = knowledge.retriever().retrieve(Query.of("How do I merge two models?", 1));
            assertThat(hits).hasSize(1);
            assertThat(hits.get(0).passage().document()).isEqualTo("guide/merging.md");
            assertThat(hits.get(0).passage().headings()).containsExactly("Merging");
            assertThat(hits.get(0).passage().location()).isEqualTo(Location.lines(1, 3));

            long before = embedder.embedded();
            IngestReport again = knowledge.ingest(source).run();
            assertThat(again.unchanged()).isEqualTo(2);
            assertThat(embedder.embedded()).isEqualTo(before);

            Files.delete(docs.resolve("coffee.txt"));
            Files.writeString(docs.resolve("merging.md"), "# Merging\n\nTwo models are merged by averaging.\n");
            IngestReport third = knowledge.ingest(source).run();
            assertThat(third.updated()).isEqualTo(1);
            assertThat(third.deleted()).isEqualTo(1);
            assertThat(knowledge.retriever().retrieve(Query.of("coffee averaging")))
                    .extracting(hit -> hit.passage().text())
                    .containsExactly("# Merging\n\nTwo models are merged by averaging.");
        }
    }
}
