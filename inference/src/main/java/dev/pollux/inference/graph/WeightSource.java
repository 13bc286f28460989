package dev.pollux.inference.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Produces the bytes of a weight while a graph is written. */
@FunctionalInterface
public interface WeightSource {

    /**
     * Passes all bytes, little-endian, to {@code sink} in one or more pieces in order.
     *
     * @param sink consumes a piece and must not keep it
     */
    void writeTo(Consumer<ByteBuffer> sink);

    /** The values of a weight of two dimensions for reading parts of it; empty if only all bytes can be produced. */
    default Optional<MatrixValues> values() {
        return Optional.empty();
    }

    /** Bytes produced in one piece. */
    static WeightSource of(Supplier<ByteBuffer> bytes) {
        return sink -> sink.accept(bytes.get());
    }

    /** 32-bit floats produced in one piece. */
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
