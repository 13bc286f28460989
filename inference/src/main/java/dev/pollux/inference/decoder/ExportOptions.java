package dev.pollux.inference.decoder;

/**
 * How a checkpoint becomes a graph. <em>Immutable.</em>
 *
 * @param weights how matrices are stored; default {@link Weights#EXACT}
 * @param blockSize elements that share a scale where matrices are quantized anew: 16, 32, 64 or 128; default 32, the block
 *     of the GGUF types that go over exactly
 * @param maxContext most positions to write rotary tables for, in [1, 1048576]; default 131072; the model's own limit holds
 *     where it is lower
 */
public record ExportOptions(Weights weights, int blockSize, int maxContext) {

    /** The defaults of the builder. */
    public static final ExportOptions DEFAULTS = builder().build();

    /** How matrices are stored. */
    public enum Weights {
        /**
         * As they are where the kernel holds them exactly (float as float, Q8_0 and Q4_0 bit for bit), else at 8 bits: no
         * 4-bit format with a real-valued minimum fits the kernel's 4-bit form.
         */
        EXACT,
        /** 32-bit floats, whatever the checkpoint holds: exact, and the slowest. */
        FLOAT,
        /** 8 bits; Q8_0 and Q4_0 bit for bit. */
        BITS_8,
        /** 4 bits, the embedding and head at 8; Q4_0 bit for bit. */
        BITS_4
    }

    public ExportOptions {
        if (blockSize != 16 && blockSize != 32 && blockSize != 64 && blockSize != 128) {
            throw new IllegalArgumentException("blockSize must be 16, 32, 64 or 128 but was " + blockSize);
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
        private int blockSize = 32;
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
