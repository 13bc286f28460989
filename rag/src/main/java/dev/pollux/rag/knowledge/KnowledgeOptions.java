package dev.pollux.rag.knowledge;

import dev.pollux.rag.chunk.ChunkOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Options of a knowledge base. <em>Immutable.</em> */
public final class KnowledgeOptions {

    /** Default chunking and a commit every 512 passages. */
    public static final KnowledgeOptions DEFAULTS = builder().build();

    private final ChunkOptions chunking;
    private final int commitPassages;

    KnowledgeOptions(ChunkOptions chunking, int commitPassages) {
        this.chunking = chunking;
        this.commitPassages = commitPassages;
        if (commitPassages < 1 || commitPassages > 1_000_000) {
            throw new IllegalArgumentException("commitPassages must be in [1, 1000000] but was " + commitPassages);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** How documents are split. If the options change, the next ingest splits its documents again. */
    public ChunkOptions chunking() {
        return chunking;
    }

    /**
     * Number of new passages after which an ingest commits, in [1, 10^6]; default 512. If commits take longer than 0.2 seconds, they
     * take at most a tenth of the time of the ingest.
     */
    public int commitPassages() {
        return commitPassages;
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
        return "KnowledgeOptions[chunking=" + chunking + ", commitPassages=" + commitPassages + "]";
    }

    private List<Object> values() {
        return List.of(chunking, commitPassages);
    }

    /** Builds {@link KnowledgeOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private ChunkOptions chunking = ChunkOptions.DEFAULTS;
        private int commitPassages = 512;

        private Builder() {}

        /** See {@link KnowledgeOptions#chunking()}. */
        public Builder chunking(ChunkOptions chunking) {
            this.chunking = chunking;
            return this;
        }

        /** See {@link KnowledgeOptions#commitPassages()}. */
        public Builder commitPassages(int commitPassages) {
            this.commitPassages = commitPassages;
            return this;
        }

        /** The options. */
        public KnowledgeOptions build() {
            return new KnowledgeOptions(chunking, commitPassages);
        }
    }
}
