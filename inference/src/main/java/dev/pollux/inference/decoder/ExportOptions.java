package dev.pollux.inference.decoder;

import java.util.List;

/**
 * How a checkpoint becomes a graph. <em>Immutable.</em>
 *
 * @param weights how matrices are stored; default {@link Weights#EXACT}
 * @param blockSize elements that share a scale where matrices are rounded: 16, 32, 64, 128 or 256; default {@link
 *     #BY_ROLE}
 * @param maxContext most positions to write rotary tables for, in [1, 1048576]; default 131072; the model's own limit holds
 *     where it is lower
 */
public record ExportOptions(Weights weights, int blockSize, int maxContext) {

    /**
     * A block for each kind of matrix, the largest that costs no more than smaller ones where it was measured: at 4 bits 32,
     * at 8 bits 64, and up to 256 for the projection out of a gated product. Larger blocks are faster, and rounding
     * activations in them costs more after a norm.
     */
    public static final int BY_ROLE = 0;

    /** The defaults of the builder. */
    public static final ExportOptions DEFAULTS = builder().build();

    /** How matrices are stored. */
    public enum Weights {
        /**
         * As they are where the kernel holds them exactly (float as float; Q4_0, Q3_K, TQ1_0, TQ2_0 and packed integers of 4
         * bits at 4 bits; Q8_0, Q6_K, Q5_0, IQ4_NL, IQ4_XS, MXFP4 and packed integers at 8 bits), else rounded to 8 bits: no 4-bit format with a
         * real-valued minimum fits the kernel's 4-bit form.
         */
        EXACT,
        /** 32-bit floats, whatever the checkpoint holds: exact, and the slowest. */
        FLOAT,
        /** 8 bits; those of {@link #EXACT} bit for bit. */
        BITS_8,
        /** 4 bits, the embedding and head at 8; Q4_0, Q3_K, TQ1_0, TQ2_0 and packed integers of 4 bits bit for bit. */
        BITS_4
    }

    public ExportOptions {
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

    /** Builds {@link ExportOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Weights weights = Weights.EXACT;
        private int blockSize = BY_ROLE;
        private int maxContext = 131_072;

        private Builder() {}

        /** See {@link ExportOptions#weights()}. */
        public Builder weights(Weights weights) {
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
