package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The values of a tensor that its message lists by type instead of as raw bytes ({@code TensorProto} of the ONNX format: types
 * of 32 bits or fewer but floats in {@code int32_data}, unsigned ones of 32 and 64 bits in {@code uint64_data}).
 */
final class ListedValues {

    private ListedValues() {}

    /** The bytes of a tensor without external data, little-endian, as {@code raw_data} has them. */
    static ByteBuffer bytes(TensorProto tensor) {
        if (tensor.hasRawData()) {
            return tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        }
        int width = Math.max(
                1,
                ElementType.of(tensor.getDataType())
                        .orElse(ElementType.OTHER)
                        .bytes()); // types below a byte are packed
        int count = tensor.getFloatDataCount()
                + tensor.getInt32DataCount()
                + tensor.getInt64DataCount()
                + tensor.getDoubleDataCount()
                + tensor.getUint64DataCount(); // one of them has values
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(count, width)).order(ByteOrder.LITTLE_ENDIAN);
        tensor.getFloatDataList().forEach(value -> put(Float.floatToRawIntBits(value), width, bytes));
        tensor.getInt32DataList().forEach(value -> put(value, width, bytes));
        tensor.getInt64DataList().forEach(value -> put(value, width, bytes));
        tensor.getDoubleDataList().forEach(value -> put(Double.doubleToRawLongBits(value), width, bytes));
        tensor.getUint64DataList().forEach(value -> put(value, width, bytes));
        return bytes.flip();
    }

    private static void put(long value, int width, ByteBuffer to) {
        for (int i = 0; i < width; i++) {
            to.put((byte) (value >>> (8 * i)));
        }
    }
}
