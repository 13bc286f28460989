package dev.pollux.rag.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** BM25 over whole documents reaches what it is known to reach. */
class LexicalQualityTest {

    private static final int WHOLE_DOCUMENT = 1 << 20;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"beir-scifact, 0.68", "beir-cranfield, 0.374"})
    void bm25ReachesThePublishedBaseline(String name, double floor) {
        RetrievalCollection collection = RetrievalCollection.beir(ReferenceData.data(name));
        KnowledgeOptions options = KnowledgeOptions.builder()
                .chunking(ChunkOptions.builder()
                        .maxTokens(WHOLE_DOCUMENT)
                        .targetTokens(WHOLE_DOCUMENT)
                        .build())
                .build();
        try (HashingEmbedder embedder = new HashingEmbedder(8, WHOLE_DOCUMENT);
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, options)) {
            knowledge.ingest(DocumentSource.of(name, collection.documents())).run();
            RetrievalScores scores = RetrievalEvaluation.on(collection)
                    .evaluate(knowledge.lexicalRetriever())
                    .run();
            assertThat(scores.ndcgAt10()).isGreaterThanOrEqualTo(floor);
        }
    }
}
