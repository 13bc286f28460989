package dev.pollux.rag.chunk;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Options for the size and the boundaries of chunks. <em>Immutable.</em> */
public final class ChunkOptions implements Serializable {

    private static final long serialVersionUID = 1;

    /** Chunks of about 256 tokens with their headings. */
    public static final ChunkOptions DEFAULTS = builder().build();

    private static final int SMALLEST = 16;
    private static final int LARGEST = 1 << 20;
    private static final int MOST_SENTENCES = 20;
    private static final int TARGET = 256;
    private static final int CHILD = 128;

    private final int targetTokens;
    private final int maxTokens;
    private final boolean contextual;
    private final ChunkStrategy strategy;
    private final int windowSentences;
    private final int parentTokens;

    ChunkOptions(Builder builder) {
        this.targetTokens = builder.targetTokens.orElseGet(() -> target(builder.strategy, builder.maxTokens));
        this.maxTokens = builder.maxTokens;
        this.contextual = builder.contextual;
        this.strategy = builder.strategy;
        this.windowSentences = builder.windowSentences;
        this.parentTokens = builder.parentTokens;
        if (parentTokens < SMALLEST || parentTokens > LARGEST) {
            throw new IllegalArgumentException("parentTokens must be in [16, 2^20] but was " + parentTokens);
        }
        if (windowSentences < 0 || windowSentences > MOST_SENTENCES) {
            throw new IllegalArgumentException("windowSentences must be in [0, 20] but was " + windowSentences);
        }
        if (maxTokens < SMALLEST || maxTokens > LARGEST) {
            throw new IllegalArgumentException("maxTokens must be in [16, 2^20] but was " + maxTokens);
        }
        if (targetTokens < SMALLEST || targetTokens > maxTokens) {
            throw new IllegalArgumentException(
                    "targetTokens must be in [16, maxTokens = " + maxTokens + "] but was " + targetTokens);
        }
    }

    private static int target(ChunkStrategy strategy, int maxTokens) {
        return Math.min(strategy == ChunkStrategy.PARENT_CHILD ? CHILD : TARGET, maxTokens);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Target size: adjacent blocks are merged up to this number of tokens, in [16, maxTokens]; default 256, or 128 for
     * {@link ChunkStrategy#PARENT_CHILD}, whose chunks are never longer; at most maxTokens.
     */
    public int targetTokens() {
        return targetTokens;
    }

    /**
     * Maximum number of tokens of a chunk with its context, in [16, 2^20]; default 512. The effective limit is
     * min(maxTokens, limit of the embedding model).
     */
    public int maxTokens() {
        return maxTokens;
    }

    /** Whether the headings above a chunk are embedded with it; default true. */
    public boolean contextual() {
        return contextual;
    }

    /** How documents are cut; default {@link ChunkStrategy#STRUCTURE}. */
    public ChunkStrategy strategy() {
        return strategy;
    }

    /** Number of sentences before a chunk in its lead, for {@link ChunkStrategy#SENTENCE_WINDOW}; in [0, 20]; default 2. */
    public int windowSentences() {
        return windowSentences;
    }

    /** Most tokens of a parent, for {@link ChunkStrategy#PARENT_CHILD}; in [16, 2^20]; default 1024. */
    public int parentTokens() {
        return parentTokens;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ChunkOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "ChunkOptions[targetTokens=" + targetTokens + ", maxTokens=" + maxTokens + ", contextual=" + contextual
                + ", strategy=" + strategy + ", windowSentences=" + windowSentences
                + ", parentTokens=" + parentTokens + "]";
    }

    private List<Object> values() {
        return List.of(targetTokens, maxTokens, contextual, strategy, windowSentences, parentTokens);
    }

    /** Builds {@link ChunkOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<Integer> targetTokens = Optional.empty();
        private int maxTokens = 512;
        private boolean contextual = true;
        private ChunkStrategy strategy = ChunkStrategy.STRUCTURE;
        private int windowSentences = 2;
        private int parentTokens = 1024;

        private Builder() {}

        /** See {@link ChunkOptions#targetTokens()}. */
        public Builder targetTokens(int targetTokens) {
            this.targetTokens = Optional.of(targetTokens);
            return this;
        }

        /** See {@link ChunkOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = maxTokens;
            return this;
        }

        /** See {@link ChunkOptions#contextual()}. */
        public Builder contextual(boolean contextual) {
            this.contextual = contextual;
            return this;
        }

        /** See {@link ChunkOptions#strategy()}. */
        public Builder strategy(ChunkStrategy strategy) {
            this.strategy = strategy;
            return this;
        }

        /** See {@link ChunkOptions#windowSentences()}. */
        public Builder windowSentences(int windowSentences) {
            this.windowSentences = windowSentences;
            return this;
        }

        /** See {@link ChunkOptions#parentTokens()}. */
        public Builder parentTokens(int parentTokens) {
            this.parentTokens = parentTokens;
            return this;
        }

        /** The options. */
        public ChunkOptions build() {
            return new ChunkOptions(this);
        }
    }
}
