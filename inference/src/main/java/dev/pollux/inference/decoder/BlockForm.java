package dev.pollux.inference.decoder;

import dev.pollux.inference.internal.block.MinimumColumns;
import dev.pollux.tensor.StackedMatrix;

/**
 * The block format of a matrix. <em>Immutable.</em>
 *
 * @param bits of a code
 * @param blockSize elements that share a scale
 * @param conversion of the stored values
 */
record BlockForm(StackedMatrix matrix, int bits, int blockSize, Conversion conversion) {

    enum Conversion {
        /** Stored codes are kept. */
        EXACT,
        /** Stored codes are kept, and columns for minima follow them. */
        MINIMA,
        /** Values are rounded to nearest. */
        ROUNDED
    }

    /** The number of columns, those for minima included. */
    int columns() {
        int columns = matrix.columns();
        return conversion == Conversion.MINIMA
                ? columns + MinimumColumns.of(columns).columns()
                : columns;
    }

    /** The number of blocks per row. */
    int blocks() {
        return (columns() + blockSize - 1) / blockSize;
    }

    /** The bytes of codes per block. */
    int codeBytes() {
        return blockSize * bits / 8;
    }
}
