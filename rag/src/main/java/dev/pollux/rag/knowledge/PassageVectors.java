package dev.pollux.rag.knowledge;

import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.job.JobContext;
import dev.pollux.rag.chunk.Chunk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The vectors of new passages: those of the index, those of the embedding cache, and those of the embedder, in this order.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class PassageVectors implements AutoCloseable {

    /**
     * Number of texts per call of the embedder: enough for sorting and parallel work, few enough to react to a cancel soon.
     */
    private static final int EMBED_BATCH = 32;

    private final Store store;
    private final Embedder embedder;
    private final JobContext job;
    private final VectorCache cache;
    private int embedded;

    PassageVectors(Store store, Embedder embedder, KnowledgeOptions options, JobContext job) {
        this.store = store;
        this.embedder = embedder;
        this.job = job;
        this.cache = options.embeddingCache()
                .map(folder -> VectorCache.open(folder, embedder.info()))
                .orElseGet(VectorCache::none);
    }

    /** Number of texts that were embedded. */
    int embedded() {
        return embedded;
    }

    /** The key of a chunk's vector. */
    static String key(Chunk chunk) {
        return Hashes.of(chunk.embeddingText());
    }

    /** The vector of each chunk by its key; each (dimension). */
    Map<String, float[]> of(List<Chunk> chunks) {
        Map<String, float[]> vectors = new HashMap<>();
        Map<String, String> unknown = new HashMap<>();
        List<String> order = new ArrayList<>();
        store.read(snapshot -> {
            for (Chunk chunk : chunks) {
                String key = key(chunk);
                if (vectors.containsKey(key) || unknown.containsKey(key)) {
                    continue;
                }
                float[] stored = snapshot.vector(key); // (dimension)
                float[] known = stored == null ? cache.get(key) : stored;
                if (known != null) {
                    vectors.put(key, known);
                } else {
                    unknown.put(key, chunk.embeddingText());
                    order.add(key);
                }
            }
            return snapshot;
        });
        for (int from = 0; from < order.size(); from += EMBED_BATCH) {
            job.checkCancelled();
            store.checkOpen();
            List<String> keys = order.subList(from, Math.min(from + EMBED_BATCH, order.size()));
            float[][] rows = embed(keys.stream().map(unknown::get).toList()); // (keys, dimension)
            for (int i = 0; i < rows.length; i++) {
                vectors.put(keys.get(i), rows[i]);
                cache.put(keys.get(i), rows[i]);
            }
            embedded += rows.length;
            job.progress("embed", embedded, -1, "passages");
        }
        return vectors;
    }

    private float[][] embed(List<String> texts) {
        float[][] rows = embedder.embed(texts, TextRole.PASSAGE); // (texts, dimension)
        if (rows.length != texts.size()) {
            throw new ModelExecutionException("Embedder " + embedder.info().name() + " made " + rows.length
                    + " vectors of " + texts.size() + " texts; one a text is its contract");
        }
        for (float[] row : rows) {
            TextVector.check(row, embedder.info());
        }
        return rows;
    }

    /** Closes the cache. */
    @Override
    public void close() {
        cache.close();
    }
}
