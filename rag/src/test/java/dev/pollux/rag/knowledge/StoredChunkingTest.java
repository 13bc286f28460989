package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first ingest stores how documents are cut, and later ones keep it. */
@NoLeaks
class StoredChunkingTest {

    private static final ChunkOptions SENTENCES = ChunkOptions.builder()
            .strategy(ChunkStrategy.SENTENCE_WINDOW)
            .windowSentences(1)
            .build();
    private static final DocumentSource DOCUMENTS = DocumentSource.of(
            "s", List.of(new Document("d", "", "text/plain", "Apples are red. Pears are green.", Map.of())));

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(16, 64);

    @Test
    void anIngestWithoutChunkingUsesTheStoredOne() {
        try (KnowledgeBase knowledge = open(SENTENCES)) {
            assertThat(knowledge.stats().chunking()).isEmpty();
            assertThat(knowledge.ingest(DOCUMENTS).run().passages()).isEqualTo(2);
        }
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            assertThat(knowledge.ingest(DOCUMENTS).run().unchanged()).isEqualTo(1);
            assertThat(knowledge.stats().chunking()).contains(SENTENCES);
        }
    }

    @Test
    void aChunkingOfALaterVersionIsNamed() {
        Map<String, String> data = Map.of(IndexLayout.COMMIT_CHUNK_OPTIONS, "strategy=BY_TOPIC targetTokens=64");
        assertThatThrownBy(() -> StoredChunking.of(data))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "The knowledge base stores the chunking 'strategy=BY_TOPIC targetTokens=64', which this version"
                                + " of Pollux does not know; use the version that wrote it");
    }

    @Test
    void anEqualChunkingCanBeGivenAgain() {
        ingest(SENTENCES);
        try (KnowledgeBase knowledge = open(SENTENCES)) {
            assertThat(knowledge.ingest(DOCUMENTS).run().unchanged()).isEqualTo(1);
        }
    }

    @Test
    void optionsThatDoNotMatterHereMayDiffer() {
        ingest(ChunkOptions.DEFAULTS); // the embedder reads fewer tokens than both limits
        try (KnowledgeBase knowledge =
                open(ChunkOptions.builder().maxTokens(400).parentTokens(300).build())) {
            assertThat(knowledge.ingest(DOCUMENTS).run().unchanged()).isEqualTo(1);
        }
    }

    @Test
    void anotherChunkingIsRefused() {
        ingest(SENTENCES);
        ChunkOptions other = ChunkOptions.builder()
                .strategy(ChunkStrategy.RECURSIVE)
                .targetTokens(32)
                .windowSentences(1)
                .build();
        assertThatThrownBy(() -> open(other))
                .isInstanceOf(StorageException.class)
                .hasMessage("The knowledge base in " + folder
                        + " cuts documents with strategy=SENTENCE_WINDOW targetTokens=256, but strategy=RECURSIVE"
                        + " targetTokens=32 was given; leave these options out to keep the stored ones, or delete the folder"
                        + " and ingest the documents again");
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            assertThat(knowledge.stats().passages()).isEqualTo(2);
        }
    }

    @Test
    void anEmptiedKnowledgeBaseTakesAnotherChunking() {
        ingest(SENTENCES);
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            knowledge.delete("s");
        }
        try (KnowledgeBase knowledge = open(ChunkOptions.DEFAULTS)) {
            assertThat(knowledge.ingest(DOCUMENTS).run().passages()).isEqualTo(1);
            assertThat(knowledge.stats().chunking()).contains(ChunkOptions.DEFAULTS);
        }
    }

    private void ingest(ChunkOptions chunking) {
        try (KnowledgeBase knowledge = open(chunking)) {
            knowledge.ingest(DOCUMENTS).run();
        }
    }

    private KnowledgeBase open(ChunkOptions chunking) {
        return KnowledgeBase.open(
                folder, embedder, KnowledgeOptions.builder().chunking(chunking).build());
    }
}
