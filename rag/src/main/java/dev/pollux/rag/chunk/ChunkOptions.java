package dev.pollux.rag.chunk;

/**
 * How large chunks are. <em>Immutable.</em>
 *
 * @param targetTokens neighbours are merged up to this many tokens, in [16, maxTokens]; default 200
 * @param maxTokens most tokens of a chunk with its context, in [16, 2^20]; the embedding model's own limit holds where it
 *     is lower; default 512
 * @param contextual whether the headings above a chunk are embedded with it; default true
 */
public record ChunkOptions(int targetTokens, int maxTokens, boolean contextual) {

    /** Chunks of about 200 tokens with their headings. */
    public static final ChunkOptions DEFAULTS = builder().build();

    private static final int SMALLEST = 16;
    private static final int LARGEST = 1 << 20;

    public ChunkOptions {
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

    /** Builds {@link ChunkOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int targetTokens = 200;
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
