package dev.pollux.inference.quantize.int8;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.Weight;
import java.nio.ByteOrder;

/** Reads the 32-bit floats of a weight piece by piece. */
final class FloatPieces {

    /** Receives consecutive values. */
    @FunctionalInterface
    interface Sink {
        /**
         * Receives one piece.
         *
         * @param first index of the first value in the weight
         * @param values the sink must not keep the array
         */
        void accept(long first, float[] values);
    }

    private FloatPieces() {}

    /**
     * Passes all values of {@code weight} to {@code sink}, in order.
     *
     * @throws MalformedFileException if a value is NaN or infinite, or the stored bytes do not fit the shape
     */
    static void read(Weight weight, Sink sink) {
        long[] done = new long[1];
        weight.source().writeTo(bytes -> {
            float[] values = new float[bytes.remaining() / Float.BYTES];
            bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            for (int i = 0; i < values.length; i++) {
                if (!Float.isFinite(values[i])) {
                    throw new MalformedFileException(
                            "The weight " + weight.name() + " has the value " + values[i] + " at index " + (done[0] + i)
                                    + "; only finite weights can be quantized, so repair the model first");
                }
            }
            sink.accept(done[0], values);
            done[0] += values.length;
        });
        if (done[0] != weight.elements()) {
            throw new MalformedFileException("The weight " + weight.name() + " of shape " + weight.shape()
                    + " must have " + weight.elements() + " floats but has " + done[0]);
        }
    }
}
