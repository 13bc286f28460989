package dev.pollux.rag.chunk;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Options for the size of chunks. <em>Immutable.</em> */
public final class ChunkOptions {

    /** Chunks of about 256 tokens with their headings. */
    public static final ChunkOptions DEFAULTS = builder().build();

    private static final int SMALLEST = 16;
    private static final int LARGEST = 1 << 20;

    private final int targetTokens;
    private final int maxTokens;
    private final boolean contextual;

    ChunkOptions(int targetTokens, int maxTokens, boolean contextual) {
        this.targetTokens = targetTokens;
        this.maxTokens = maxTokens;
        this.contextual = contextual;
        if (maxTokens < SMALLEST || maxTokens > LARGEST) {
            throw new IllegalArgumentException("maxTokens must be in [16, 2^20] but was " + maxTokens);
        }
        if (targetTokens < SMALLEST || targetTokens > maxTokens) {
            throw new IllegalArgumentException(
                    "targetTokens must be in [16, maxTokens = " + maxTokens + "] but was " + targetTokens);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Target size: adjacent blocks are merged up to this number of tokens, in [16, maxTokens]; default 256. */
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
                + "]";
    }

    private List<Object> values() {
        return List.of(targetTokens, maxTokens, contextual);
    }

    /** Builds {@link ChunkOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int targetTokens = 256;
        private int maxTokens = 512;
        private boolean contextual = true;

        private Builder() {}

        /** See {@link ChunkOptions#targetTokens()}. */
        public Builder targetTokens(int targetTokens) {
            this.targetTokens = targetTokens;
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

        /** The options. */
        public ChunkOptions build() {
            return new ChunkOptions(targetTokens, maxTokens, contextual);
        }
    }
}
