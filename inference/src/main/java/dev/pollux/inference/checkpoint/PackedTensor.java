package dev.pollux.inference.checkpoint;

import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/**
 * A tensor that is computed block by block from stored ones while it is read.
 *
 * @param info the name, type and shape in which it is presented
 * @param source maps the stored parts; called for every read, so that nothing is held between reads
 */
record PackedTensor(TensorInfo info, Supplier<Blocks> source) {

    /** Writes one block; for plain types a block is one element. */
    @FunctionalInterface
    interface Blocks {
        void write(int row, int column, ByteBuffer out);
    }
}
