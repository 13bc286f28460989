package dev.pollux.inference.quantize;

import dev.pollux.internal.math.Float16;

/**
 * The format of a quantized matrix.
 *
 * @param bits of a code: 2, 4 or 8
 * @param blockSize number of weights that share a scale
 * @param halfScales whether scales are stored in 16 bits
 */
record BlockFormat(int bits, int blockSize, boolean halfScales) {

    private static final double MOST_HALF = 65504;

    /** The largest code, 2^bits − 1. */
    int maxCode() {
        return (1 << bits) - 1;
    }

    /** The zero point of symmetric codes, 2^(bits − 1). */
    int middle() {
        return 1 << bits - 1;
    }

    /** A scale as it is stored; in 16 bits it is at most {@value #MOST_HALF}, whatever the weights. */
    float stored(double scale) {
        return halfScales
                ? Float16.toFloat(Float16.fromFloat((float) Math.max(-MOST_HALF, Math.min(MOST_HALF, scale))))
                : (float) scale;
    }

    /** Blocks of a row of {@code columns} weights. */
    int blocks(long columns) {
        return Math.toIntExact((columns + blockSize - 1) / blockSize);
    }

    /** Bytes of the codes of a block. */
    int codeBytes() {
        return blockSize * bits / 8;
    }
}
