package dev.pollux.inference.decoder;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a checkpoint is exported as a graph. <em>Immutable.</em> */
public final class ExportOptions {

    /**
     * A block size for each kind of matrix: 32 at 4 bits, 64 at 8 bits, and up to 256 for the projection of a gated
     * product. Each is the largest size without a measured loss against smaller ones. Larger blocks are faster, but
     * activations after a norm lose more precision in them.
     */
    public static final int BY_ROLE = 0;

    /** The defaults of the builder. */
    public static final ExportOptions DEFAULTS = builder().build();

    private final WeightFormat weights;
    private final int blockSize;
    private final int maxContext;
    private final boolean wholeCache;
    private final CacheFormat cache;

    private ExportOptions(Builder set) {
        this.weights = set.weights;
        this.blockSize = set.blockSize;
        this.maxContext = set.maxContext;
        this.wholeCache = set.wholeCache;
        this.cache = set.cache;
        if (blockSize != BY_ROLE && !List.of(16, 32, 64, 128, 256).contains(blockSize)) {
            throw new IllegalArgumentException(
                    "blockSize must be 16, 32, 64, 128, 256 or BY_ROLE (0) but was " + blockSize);
        }
        if (maxContext < 1 || maxContext > 1 << 20) {
            throw new IllegalArgumentException("maxContext must be in [1, 1048576] but was " + maxContext);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** How matrices are stored; default {@link WeightFormat#EXACT}. */
    public WeightFormat weights() {
        return weights;
    }

    /**
     * The number of elements per scale in rounded matrices: 16, 32, 64, 128 or 256; default {@link #BY_ROLE}.
     */
    public int blockSize() {
        return blockSize;
    }

    /**
     * The maximum number of positions in rotary tables, in [1, 1048576]; default 131072; bounded by the model's own limit.
     */
    public int maxContext() {
        return maxContext;
    }

    /**
     * Whether layers with a sliding window keep the keys and values of all positions; by default false, so that they keep
     * those that the window reaches and at most 839 more. Only then can a sequence go back by more than 64 tokens without
     * reading the text before again. A layer whose context is not longer than what it would keep keeps all.
     */
    public boolean wholeCache() {
        return wholeCache;
    }

    /** How keys and values are stored; default {@link CacheFormat#FLOAT32}. */
    public CacheFormat cache() {
        return cache;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ExportOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "ExportOptions[weights=" + weights + ", blockSize=" + blockSize + ", maxContext=" + maxContext
                + ", wholeCache=" + wholeCache + ", cache=" + cache + "]";
    }

    private List<Object> values() {
        return List.of(weights, blockSize, maxContext, wholeCache, cache);
    }

    /** Builds {@link ExportOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private WeightFormat weights = WeightFormat.EXACT;
        private int blockSize = BY_ROLE;
        private int maxContext = 131_072;
        private boolean wholeCache;
        private CacheFormat cache = CacheFormat.FLOAT32;

        private Builder() {}

        /** See {@link ExportOptions#weights()}. */
        public Builder weights(WeightFormat weights) {
            this.weights = weights;
            return this;
        }

        /** See {@link ExportOptions#blockSize()}. */
        public Builder blockSize(int blockSize) {
            this.blockSize = blockSize;
            return this;
        }

        /** See {@link ExportOptions#maxContext()}. */
        public Builder maxContext(int maxContext) {
            this.maxContext = maxContext;
            return this;
        }

        /** See {@link ExportOptions#wholeCache()}. */
        public Builder wholeCache(boolean wholeCache) {
            this.wholeCache = wholeCache;
            return this;
        }

        /** See {@link ExportOptions#cache()}. */
        public Builder cache(CacheFormat cache) {
            this.cache = cache;
            return this;
        }

        /** The options; checks every range. */
        public ExportOptions build() {
            return new ExportOptions(this);
        }
    }
}
