package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How {@link FisherCollection} reads examples. <em>Immutable.</em> */
public final class FisherOptions {

    private static final long LEAST_MEMORY = 16L << 20;

    /** The defaults of the builder. */
    public static final FisherOptions DEFAULTS = builder().build();

    private final int window;
    private final int mostExamples;
    private final long memory;
    private final int threads;

    private FisherOptions(Builder b) {
        this.window = b.window;
        this.mostExamples = b.mostExamples;
        this.memory = b.memory;
        this.threads = b.threads;
        require(window >= 2 && window <= 4096, "window", "in [2, 4096]", window);
        require(mostExamples >= 1, "mostExamples", "at least 1", mostExamples);
        require(memory >= LEAST_MEMORY, "memory", "at least " + LEAST_MEMORY + " bytes", memory);
        require(threads >= 1, "threads", "at least 1", threads);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The most tokens of an example, in [2, 4096]; a text is cut into examples of this length; default 256. */
    public int window() {
        return window;
    }

    /** The most examples, at least 1; default 64. */
    public int mostExamples() {
        return mostExamples;
    }

    /** Bytes for gradients, at least 16 MiB; with less, the examples are read more often; default 1 GiB. */
    public long memory() {
        return memory;
    }

    /** Threads of the runtime, at least 1; default one for each processor. */
    public int threads() {
        return threads;
    }

    private List<Object> values() {
        return List.of(window, mostExamples, memory, threads);
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FisherOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "FisherOptions[window=" + window + ", mostExamples=" + mostExamples + ", memory=" + memory + ", threads="
                + threads + "]";
    }

    /** Builds {@link FisherOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int window = 256;
        private int mostExamples = 64;
        private long memory = 1L << 30;
        private int threads = Runtime.getRuntime().availableProcessors();

        private Builder() {}

        /** See {@link FisherOptions#window()}. */
        public Builder window(int window) {
            this.window = window;
            return this;
        }

        /** See {@link FisherOptions#mostExamples()}. */
        public Builder mostExamples(int mostExamples) {
            this.mostExamples = mostExamples;
            return this;
        }

        /** See {@link FisherOptions#memory()}. */
        public Builder memory(long memory) {
            this.memory = memory;
            return this;
        }

        /** See {@link FisherOptions#threads()}. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** The options; {@link IllegalArgumentException} if a value is out of its range. */
        public FisherOptions build() {
            return new FisherOptions(this);
        }
    }
}
