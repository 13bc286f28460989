package dev.pollux.inference.decoder;

import dev.pollux.tensor.StackedMatrix;

/**
 * The block format of a matrix. <em>Immutable.</em>
 *
 * @param bits of a code
 * @param blockSize elements that share a scale
 * @param exact whether stored codes are kept unchanged
 */
record BlockForm(StackedMatrix matrix, int bits, int blockSize, boolean exact) {

    /** The number of blocks per row. */
    int blocks() {
        return (matrix.columns() + blockSize - 1) / blockSize;
    }

    /** The bytes of codes per block. */
    int codeBytes() {
        return blockSize * bits / 8;
    }
}
