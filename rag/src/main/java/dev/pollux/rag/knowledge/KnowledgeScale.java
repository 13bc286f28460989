package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.internal.Interrupts;
import dev.pollux.job.JobContext;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The similarity scale of an embedder on a store's documents: read from the commit, or else measured once and cached.
 * <em>Thread-safe.</em>
 */
final class KnowledgeScale {

    /** More passages do not improve the estimate. */
    private static final int MOST_PASSAGES = 128;

    private final Store store;
    private final Embedder embedder;
    private final ReentrantLock measuring = new ReentrantLock();
    private @Nullable SimilarityScale measured; // guarded by measuring

    KnowledgeScale(Store store, Embedder embedder) {
        this.store = store;
        this.embedder = embedder;
    }

    /** Measures the scale as a part of a job. */
    static MeasuredScale measured(Store store, Embedder embedder, JobContext job) {
        List<String> passages = store.read(snapshot -> snapshot.sample(MOST_PASSAGES));
        return new MeasuredScale(
                job.run(SimilarityScale.measuring(embedder, passages)), store.read(Snapshot::passageCount));
    }

    /** The scale stored in the commit. */
    private Optional<SimilarityScale> committed() {
        return store.read(Snapshot::scale).map(MeasuredScale::scale);
    }

    /** The scale stored in the commit, or else the scale measured at the first call. */
    SimilarityScale get() {
        Optional<SimilarityScale> committed = committed();
        if (committed.isPresent() || embedder instanceof AbsentEmbedder || store.read(Snapshot::passageCount) == 0) {
            return committed.orElse(SimilarityScale.NONE);
        }
        Interrupts.lock(measuring);
        try {
            SimilarityScale known = measured;
            if (known == null) {
                known = measured(store, embedder, JobContext.NONE).scale();
                measured = known;
            }
            return known;
        } finally {
            measuring.unlock();
        }
    }
}
