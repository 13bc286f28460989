package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Small weights from arrays: a scalar, or a list. */
final class Constants {

    private Constants() {}

    /** 32-bit floats; one value that is not a {@code list} is a scalar. */
    static Weight floats(String name, float[] values, boolean list) {
        return new Weight(name, ElementType.FLOAT, shape(values.length, list), WeightSource.floats(() -> values));
    }

    /** Integers of one byte. */
    static Weight bytes(String name, ElementType type, int[] values, boolean list) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return new Weight(name, type, shape(values.length, list), WeightSource.of(() -> ByteBuffer.wrap(bytes)));
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
