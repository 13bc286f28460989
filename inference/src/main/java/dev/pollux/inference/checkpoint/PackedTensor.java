package dev.pollux.inference.checkpoint;

import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/**
 * A tensor that is made block by block from stored ones as it is read.
 *
 * @param info what it is shown as
 * @param source maps the stored parts; asked for at every read, so that nothing is held between reads
 */
record PackedTensor(TensorInfo info, Supplier<Blocks> source) {

    /** Writes one block, of one element for plain types. */
    @FunctionalInterface
    interface Blocks {
        void write(int row, int column, ByteBuffer out);
    }
}
