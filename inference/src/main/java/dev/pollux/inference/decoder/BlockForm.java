package dev.pollux.inference.decoder;

import dev.pollux.tensor.StackedMatrix;

/**
 * A matrix in blocks. <em>Immutable.</em>
 *
 * @param bits of a code
 * @param blockSize elements that share a scale
 * @param exact whether the stored codes are taken as they are
 */
record BlockForm(StackedMatrix matrix, int bits, int blockSize, boolean exact) {

    /** Blocks of a row. */
    int blocks() {
        return (matrix.columns() + blockSize - 1) / blockSize;
    }

    /** Bytes of a block's codes. */
    int codeBytes() {
        return blockSize * bits / 8;
    }
}
