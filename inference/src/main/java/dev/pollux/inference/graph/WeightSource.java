package dev.pollux.inference.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Gives the bytes of a weight when they are due, which is when a graph is written. */
@FunctionalInterface
public interface WeightSource {

    /**
     * Gives all bytes, little-endian, in one or more pieces in order.
     *
     * @param sink takes a piece and does not keep it
     */
    void writeTo(Consumer<ByteBuffer> sink);

    /** Bytes that are made in one piece. */
    static WeightSource of(Supplier<ByteBuffer> bytes) {
        return sink -> sink.accept(bytes.get());
    }

    /** 32-bit floats that are made in one piece. */
    static WeightSource floats(Supplier<float[]> values) {
        return sink -> {
            float[] floats = values.get();
            ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(floats.length, Float.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(floats);
            sink.accept(bytes);
        };
    }
}
