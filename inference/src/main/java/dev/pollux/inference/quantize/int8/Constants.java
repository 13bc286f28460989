package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/** Small weights from arrays, which are made when they are written: a scalar, or a list. */
final class Constants {

    private Constants() {}

    /**
     * 32-bit floats.
     *
     * @param count the number of values
     * @param list whether the shape is (count); otherwise it is that of a scalar
     */
    static Weight floats(String name, Supplier<float[]> values, int count, boolean list) {
        return new Weight(name, ElementType.FLOAT, shape(count, list), WeightSource.floats(values));
    }

    /** Integers of one byte. */
    static Weight bytes(String name, ElementType type, Supplier<int[]> values, int count, boolean list) {
        return new Weight(name, type, shape(count, list), WeightSource.of(() -> {
            ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
            for (int value : values.get()) {
                bytes.put((byte) value);
            }
            return bytes.flip();
        }));
    }

    /** 32-bit integers. */
    static Weight integers(String name, int[] values, Shape shape) {
        return new Weight(name, ElementType.INT32, shape, WeightSource.of(() -> {
            ByteBuffer bytes =
                    ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asIntBuffer().put(values);
            return bytes;
        }));
    }

    private static Shape shape(int values, boolean list) {
        return list ? Shape.of(values) : Shape.of();
    }
}
