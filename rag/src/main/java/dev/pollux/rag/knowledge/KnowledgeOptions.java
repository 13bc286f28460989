package dev.pollux.rag.knowledge;

import dev.pollux.rag.chunk.ChunkOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Options of a knowledge base. <em>Immutable.</em> */
public final class KnowledgeOptions {

    /** The stored or the default chunking, and a commit every 512 passages. */
    public static final KnowledgeOptions DEFAULTS = builder().build();

    private final Optional<ChunkOptions> chunking;
    private final int commitPassages;
    private final boolean vectorCodes;
    private final boolean backgroundIndex;
    private final int indexThreads;
    private final Optional<Executor> indexExecutor;
    private final Optional<EmbeddingCache> embeddingCache;
    private final int mappedFrom;
    private final int graphFrom;

    private KnowledgeOptions(Builder from) {
        this.chunking = from.chunking;
        this.commitPassages = from.commitPassages;
        this.vectorCodes = from.vectorCodes;
        this.backgroundIndex = from.backgroundIndex;
        this.indexThreads = from.indexThreads;
        this.indexExecutor = from.indexExecutor;
        this.embeddingCache = from.embeddingCache;
        this.mappedFrom = from.mappedFrom;
        this.graphFrom = from.graphFrom;
        if (indexThreads < 1 || indexThreads > 1_024) {
            throw new IllegalArgumentException("indexThreads must be in [1, 1024] but was " + indexThreads);
        }
        if (commitPassages < 1 || commitPassages > 1_000_000) {
            throw new IllegalArgumentException("commitPassages must be in [1, 1000000] but was " + commitPassages);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * How documents are split. The first ingest stores it with the knowledge base. Empty, the default: as stored, else {@link
     * ChunkOptions#DEFAULTS}. Other options than the stored ones are refused while the knowledge base has documents.
     */
    public Optional<ChunkOptions> chunking() {
        return chunking;
    }

    /**
     * Number of new passages after which an ingest commits, in [1, 10^6]; default 512. If commits take longer than 0.2 seconds, they
     * take at most a tenth of the time of the ingest.
     */
    public int commitPassages() {
        return commitPassages;
    }

    /**
     * Whether vectors are also stored in 8 bits, a quarter more bytes on the disk, for a faster scan with the same result where
     * the JVM has the Vector API; default true.
     */
    public boolean vectorCodes() {
        return vectorCodes;
    }

    /**
     * Whether vector files and graphs are built in the background after an ingest or a deletion; default true. Otherwise {@link
     * KnowledgeBase#index()} builds them.
     */
    public boolean backgroundIndex() {
        return backgroundIndex;
    }

    /** Number of threads that build a graph, in [1, 1024]; default half the processors, at least 1. They end with the build. */
    public int indexThreads() {
        return indexThreads;
    }

    /**
     * What runs background builds: one task at a time, which lasts as long as its graphs need. Empty, the default: a daemon thread
     * named {@code pollux-knowledge-index}, which ends when idle.
     */
    public Optional<Executor> indexExecutor() {
        return indexExecutor;
    }

    /** Where vectors of texts that other knowledge bases embedded are found; empty, the default: nowhere. */
    public Optional<EmbeddingCache> embeddingCache() {
        return embeddingCache;
    }

    /** The settings of the index in a folder. */
    IndexSettings settings(Path folder, int dimension) {
        return new IndexSettings(folder, dimension, vectorCodes, mappedFrom, graphFrom);
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KnowledgeOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "KnowledgeOptions[chunking=" + chunking.map(Object::toString).orElse("stored") + ", commitPassages="
                + commitPassages
                + ", vectorCodes=" + vectorCodes + ", backgroundIndex=" + backgroundIndex + ", indexThreads="
                + indexThreads + ", indexExecutor="
                + indexExecutor.map(Object::toString).orElse("own") + ", embeddingCache="
                + embeddingCache.map(Object::toString).orElse("none") + "]";
    }

    private List<Object> values() {
        return List.of(
                chunking,
                commitPassages,
                vectorCodes,
                backgroundIndex,
                indexThreads,
                indexExecutor,
                embeddingCache,
                mappedFrom,
                graphFrom);
    }

    /** Builds {@link KnowledgeOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<ChunkOptions> chunking = Optional.empty();
        private int commitPassages = 512;
        private boolean vectorCodes = true;
        private boolean backgroundIndex = true;
        private int indexThreads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        private Optional<Executor> indexExecutor = Optional.empty();
        private Optional<EmbeddingCache> embeddingCache = Optional.empty();
        private int mappedFrom = IndexSettings.MAPPED_FROM;
        private int graphFrom = SearchPlan.LEAST_ALLOWED;

        private Builder() {}

        /** See {@link KnowledgeOptions#chunking()}. */
        public Builder chunking(ChunkOptions chunking) {
            this.chunking = Optional.of(chunking);
            return this;
        }

        /** See {@link KnowledgeOptions#commitPassages()}. */
        public Builder commitPassages(int commitPassages) {
            this.commitPassages = commitPassages;
            return this;
        }

        /** See {@link KnowledgeOptions#vectorCodes()}. */
        public Builder vectorCodes(boolean vectorCodes) {
            this.vectorCodes = vectorCodes;
            return this;
        }

        /** See {@link KnowledgeOptions#backgroundIndex()}. */
        public Builder backgroundIndex(boolean backgroundIndex) {
            this.backgroundIndex = backgroundIndex;
            return this;
        }

        /** See {@link KnowledgeOptions#indexThreads()}. */
        public Builder indexThreads(int indexThreads) {
            this.indexThreads = indexThreads;
            return this;
        }

        /** See {@link KnowledgeOptions#indexExecutor()}. */
        public Builder indexExecutor(Executor indexExecutor) {
            this.indexExecutor = Optional.of(indexExecutor);
            return this;
        }

        /** See {@link KnowledgeOptions#embeddingCache()}. */
        public Builder embeddingCache(EmbeddingCache embeddingCache) {
            this.embeddingCache = Optional.of(embeddingCache);
            return this;
        }

        /** Sizes of segments from which there are files and graphs, for tests. */
        Builder indexFrom(int mapped, int graph) {
            this.mappedFrom = mapped;
            this.graphFrom = graph;
            return this;
        }

        /** The options. */
        public KnowledgeOptions build() {
            return new KnowledgeOptions(this);
        }
    }
}
