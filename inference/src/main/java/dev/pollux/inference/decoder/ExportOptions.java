package dev.pollux.inference.decoder;

import dev.pollux.inference.quantize.WeightFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a checkpoint becomes a graph. <em>Immutable.</em> */
public final class ExportOptions {

    /**
     * A block for each kind of matrix, the largest that costs no more than smaller ones where it was measured: at 4 bits 32,
     * at 8 bits 64, and up to 256 for the projection out of a gated product. Larger blocks are faster, and rounding
     * activations in them costs more after a norm.
     */
    public static final int BY_ROLE = 0;

    /** The defaults of the builder. */
    public static final ExportOptions DEFAULTS = builder().build();

    private final WeightFormat weights;
    private final int blockSize;
    private final int maxContext;

    ExportOptions(WeightFormat weights, int blockSize, int maxContext) {
        this.weights = weights;
        this.blockSize = blockSize;
        this.maxContext = maxContext;
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
     * Elements that share a scale where matrices are rounded: 16, 32, 64, 128 or 256; default {@link #BY_ROLE}.
     */
    public int blockSize() {
        return blockSize;
    }

    /**
     * Most positions to write rotary tables for, in [1, 1048576]; default 131072; the model's own limit holds where
     * it is lower.
     */
    public int maxContext() {
        return maxContext;
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
        return "ExportOptions[weights=" + weights + ", blockSize=" + blockSize + ", maxContext=" + maxContext + "]";
    }

    private List<Object> values() {
        return List.of(weights, blockSize, maxContext);
    }

    /** Builds {@link ExportOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private WeightFormat weights = WeightFormat.EXACT;
        private int blockSize = BY_ROLE;
        private int maxContext = 131_072;

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

        /** The options; checks every range. */
        public ExportOptions build() {
            return new ExportOptions(weights, blockSize, maxContext);
        }
    }
}
