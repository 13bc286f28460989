package dev.pollux.rag.knowledge;

import dev.pollux.rag.chunk.ChunkOptions;

/**
 * How a knowledge base is kept. <em>Immutable.</em>
 *
 * @param chunking how documents are cut; changed options cut documents anew when they are next ingested
 * @param commitPassages an ingest commits whenever it has this many new passages, in [1, 10^6]; default 512
 */
public record KnowledgeOptions(ChunkOptions chunking, int commitPassages) {

    /** Default chunks, a commit every 512 passages. */
    public static final KnowledgeOptions DEFAULTS = builder().build();

    public KnowledgeOptions {
        if (commitPassages < 1 || commitPassages > 1_000_000) {
            throw new IllegalArgumentException("commitPassages must be in [1, 1000000] but was " + commitPassages);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
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
