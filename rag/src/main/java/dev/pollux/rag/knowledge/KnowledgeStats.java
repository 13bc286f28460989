package dev.pollux.rag.knowledge;

import dev.pollux.embedding.SimilarityScale;
import java.time.Instant;

/**
 * What a knowledge base holds. <em>Immutable.</em>
 *
 * @param sources sources
 * @param documents documents
 * @param passages passages, all with a vector
 * @param bytesOnDisk size of its files
 * @param embedder name of the embedder it was made with
 * @param fingerprint the embedder's fingerprint
 * @param dimension length of a vector
 * @param scale what the embedder's similarities mean on these documents; {@link SimilarityScale#NONE} where no ingest has measured
 *     it
 * @param lastCommit when it was last changed
 */
public record KnowledgeStats(
        int sources,
        int documents,
        int passages,
        long bytesOnDisk,
        String embedder,
        String fingerprint,
        int dimension,
        SimilarityScale scale,
        Instant lastCommit) {}
