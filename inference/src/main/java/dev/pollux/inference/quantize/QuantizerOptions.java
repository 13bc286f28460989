package dev.pollux.inference.quantize;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Resources of a quantizer. They do not change a byte of the result. <em>Immutable.</em> */
public final class QuantizerOptions {

    private static final long LEAST_MEMORY = 64L << 20;

    /** The defaults of the builder. */
    public static final QuantizerOptions DEFAULTS = builder().build();

    private final int threads;
    private final long memory;
    private final boolean hashInputs;
    private final Optional<Path> cache;

    private QuantizerOptions(Builder b) {
        this.threads = b.threads;
        this.memory = b.memory;
        this.hashInputs = b.hashInputs;
        this.cache = b.cache;
        if (threads < 1 || threads > 256) {
            throw new IllegalArgumentException("threads must be in [1, 256] but was " + threads);
        }
        if (memory < LEAST_MEMORY) {
            throw new IllegalArgumentException("memory must be at least " + LEAST_MEMORY + " bytes but was " + memory);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Threads that quantize, in [1, 256]; default the number of processors. */
    public int threads() {
        return threads;
    }

    /**
     * Bytes of working memory for windows of weights, at least 64 MiB; default 512 MiB. The scales and zero points of one matrix
     * are held besides, and in the form QDQ the codes of one matrix.
     */
    public long memory() {
        return memory;
    }

    /** Whether the manifest of the result has the SHA-256 of every input file, which are then read once more; default true. */
    public boolean hashInputs() {
        return hashInputs;
    }

    /**
     * A folder for the tokens of calibration texts, by the content of model and texts, and for hashes of inputs, so that neither
     * is computed again; default none.
     */
    public Optional<Path> cache() {
        return cache;
    }

    /** Whether another has the same values. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizerOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "QuantizerOptions[threads=" + threads + ", memory=" + memory + ", hashInputs=" + hashInputs + ", cache="
                + cache.map(Path::toString).orElse("none") + "]";
    }

    private List<Object> values() {
        return List.of(threads, memory, hashInputs, cache);
    }

    /** Builds {@link QuantizerOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private int threads = Math.min(256, Runtime.getRuntime().availableProcessors());
        private long memory = 512L << 20;
        private boolean hashInputs = true;
        private Optional<Path> cache = Optional.empty();

        private Builder() {}

        /** See {@link QuantizerOptions#threads()}. */
        public Builder threads(int value) {
            threads = value;
            return this;
        }

        /** See {@link QuantizerOptions#memory()}. */
        public Builder memory(long value) {
            memory = value;
            return this;
        }

        /** See {@link QuantizerOptions#hashInputs()}. */
        public Builder hashInputs(boolean value) {
            hashInputs = value;
            return this;
        }

        /** See {@link QuantizerOptions#cache()}. */
        public Builder cache(Path value) {
            cache = Optional.of(value);
            return this;
        }

        /** The options; checks every range. */
        public QuantizerOptions build() {
            return new QuantizerOptions(this);
        }
    }
}
