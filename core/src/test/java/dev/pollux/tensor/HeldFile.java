package dev.pollux.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Tensors in memory that records what is read. */
final class HeldFile implements TensorFile {

    /** A read of bytes. */
    record Read(String name, long offset, int length) {}

    /** Gives the bytes of a range of a tensor. */
    @FunctionalInterface
    interface Content {
        ByteBuffer at(long offset, int length);
    }

    final ConcurrentLinkedQueue<Read> reads = new ConcurrentLinkedQueue<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, Content> contents = new LinkedHashMap<>();

    /** Adds a tensor whose bytes are made when they are read. */
    HeldFile with(String name, DType type, Content content, long... shape) {
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        List<Long> sizes = Arrays.stream(shape).boxed().toList();
        tensors.put(name, new TensorInfo(name, type, sizes, 0, elements / type.blockSize() * type.blockBytes()));
        contents.put(name, content);
        return this;
    }

    /** Adds a tensor in memory. */
    HeldFile with(String name, DType type, byte[] bytes, long... shape) {
        return with(
                name,
                type,
                (offset, length) -> ByteBuffer.wrap(bytes, (int) offset, length).slice(),
                shape);
    }

    /** Adds a tensor of 32-bit floats. */
    HeldFile with(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return with(name, DType.F32, bytes.array(), shape);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        reads.add(new Read(name, offset, length));
        return contents.get(name).at(offset, length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {}
}
