package dev.pollux.finetune.merge;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.inference.engine.EngineOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How {@link GramCollection} reads a text. <em>Immutable.</em> */
public final class GramOptions {

    private static final long LEAST_MEMORY = 16L << 20;

    /** The defaults of the builder. */
    public static final GramOptions DEFAULTS = builder().build();

    private final int window;
    private final int mostTokens;
    private final long memory;
    private final EngineOptions engine;

    GramOptions(int window, int mostTokens, long memory, EngineOptions engine) {
        this.window = window;
        this.mostTokens = mostTokens;
        this.memory = memory;
        this.engine = engine;
        require(window >= 1 && window <= 4096, "window", "in [1, 4096]", window);
        require(mostTokens >= 1, "mostTokens", "at least 1", mostTokens);
        require(memory >= LEAST_MEMORY, "memory", "at least " + LEAST_MEMORY + " bytes", memory);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Tokens in a window of the text, in [1, 4096]; default 512. Windows have no context from earlier windows. */
    public int window() {
        return window;
    }

    /** Maximum number of tokens read from the text, ≥ 1; default 8192. */
    public int mostTokens() {
        return mostTokens;
    }

    /** Bytes for the Gram matrices of one pass over the text, ≥ 16 MiB; default 1 GiB. The model's weights are not included. */
    public long memory() {
        return memory;
    }

    /** Options of the engine that runs the model; default {@link EngineOptions#DEFAULTS}. */
    public EngineOptions engine() {
        return engine;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GramOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "GramOptions[window=" + window + ", mostTokens=" + mostTokens + ", memory=" + memory + ", engine="
                + engine + "]";
    }

    private List<Object> values() {
        return List.of(window, mostTokens, memory, engine);
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

        /** Returns the options after checking every range. */
        public GramOptions build() {
            return new GramOptions(window, mostTokens, memory, engine);
        }
    }
}
