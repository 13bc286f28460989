package dev.pollux.merge;

import dev.pollux.inference.engine.EngineOptions;

/**
 * How {@link GramCollection} reads a text. <em>Immutable.</em>
 *
 * @param window tokens that the model reads at a time, in [1, 4096]; default 512; each window begins without what stood before
 *     it
 * @param mostTokens tokens of the text that are read, from 1; default 8192
 * @param memory bytes for the matrices of one reading of the text, from 16 MiB; default 1 GiB; the model's weights come on top
 * @param engine how the model is run; default {@link EngineOptions#DEFAULTS}
 */
public record GramOptions(int window, int mostTokens, long memory, EngineOptions engine) {

    private static final long LEAST_MEMORY = 16L << 20;

    /** The defaults of the builder. */
    public static final GramOptions DEFAULTS = builder().build();

    public GramOptions {
        require(window >= 1 && window <= 4096, "window", "in [1, 4096]", window);
        require(mostTokens >= 1, "mostTokens", "at least 1", mostTokens);
        require(memory >= LEAST_MEMORY, "memory", "at least " + LEAST_MEMORY + " bytes", memory);
    }

    private static void require(boolean holds, String name, String rule, long value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " must be " + rule + " but was " + value);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link GramOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int window = 512;
        private int mostTokens = 8192;
        private long memory = 1L << 30;
        private EngineOptions engine = EngineOptions.DEFAULTS;

        private Builder() {}

        /** See {@link GramOptions#window()}. */
        public Builder window(int window) {
            this.window = window;
            return this;
        }

        /** See {@link GramOptions#mostTokens()}. */
        public Builder mostTokens(int mostTokens) {
            this.mostTokens = mostTokens;
            return this;
        }

        /** See {@link GramOptions#memory()}. */
        public Builder memory(long memory) {
            this.memory = memory;
            return this;
        }

        /** See {@link GramOptions#engine()}. */
        public Builder engine(EngineOptions engine) {
            this.engine = engine;
            return this;
        }

        /** The options; checks every range. */
        public GramOptions build() {
            return new GramOptions(window, mostTokens, memory, engine);
        }
    }
}
