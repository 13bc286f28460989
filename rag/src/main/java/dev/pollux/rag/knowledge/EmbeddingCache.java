package dev.pollux.rag.knowledge;

import java.nio.file.Path;

/**
 * A folder with vectors of texts that were embedded before, for all knowledge bases that use it. An ingest takes the vector of
 * a passage from the cache if any knowledge base has embedded the same text with the same embedder.
 *
 * <p>The vectors of an embedder take at most {@code maxBytes}; if there is no room, older ones are replaced. The folder holds
 * the vectors of the {@value #EMBEDDERS} embedders that were used last. It may be deleted at any time. Several processes may use
 * it at once. A damaged vector is embedded again; a folder that cannot be written is not used, and the ingest goes on.
 * <em>Immutable.</em>
 *
 * @param folder created when it is first used
 * @param maxBytes of the vectors of one embedder, at least 1 MiB
 */
public record EmbeddingCache(Path folder, long maxBytes) {

    /** Default of {@code maxBytes}: 256 MiB, enough for 170,000 vectors of 384 dimensions. */
    public static final long DEFAULT_BYTES = 256L << 20;

    /** Number of embedders whose vectors are kept. */
    public static final int EMBEDDERS = 4;

    private static final long LEAST_BYTES = 1 << 20;

    /** A cache of {@link #DEFAULT_BYTES} for each embedder. */
    public EmbeddingCache(Path folder) {
        this(folder, DEFAULT_BYTES);
    }

    public EmbeddingCache {
        if (maxBytes < LEAST_BYTES) {
            throw new IllegalArgumentException("maxBytes must be at least " + LEAST_BYTES + " but was " + maxBytes);
        }
    }
}
