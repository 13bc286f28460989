package dev.pollux.rag.knowledge;

import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.rag.chunk.ChunkOptions;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * Counts and sizes of a knowledge base. <em>Immutable.</em>
 *
 * @param sources number of sources
 * @param documents number of documents
 * @param passages number of passages; each has a vector
 * @param bytesOnDisk size of its files
 * @param embedder name of its embedder
 * @param fingerprint the embedder's fingerprint
 * @param dimension length of a vector
 * @param scale scale of the embedder's similarities on these documents; {@link SimilarityScale#NONE} if no ingest has
 *     measured it
 * @param lastCommit time of the last commit
 * @param index how its vectors are stored
 * @param chunking how its documents are cut; empty if no ingest has stored it
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
        Instant lastCommit,
        IndexStats index,
        Optional<ChunkOptions> chunking) {

    static KnowledgeStats of(Snapshot snapshot, Store store, EmbedderInfo embedder) throws IOException {
        return new KnowledgeStats(
                snapshot.sources().all().size(),
                snapshot.stored().count(),
                snapshot.passageCount(),
                store.files().bytesOnDisk(),
                embedder.name(),
                embedder.fingerprint(),
                embedder.dimension(),
                snapshot.scale().map(MeasuredScale::scale).orElse(SimilarityScale.NONE),
                snapshot.commitTime(),
                snapshot.index(store.files().derivedBytes()),
                StoredChunking.of(snapshot.reader().getIndexCommit().getUserData())
                        .options());
    }
}
