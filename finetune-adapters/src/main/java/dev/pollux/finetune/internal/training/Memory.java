package dev.pollux.finetune.internal.training;

import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;

/**
 * Direct memory for tensors, which is used again: direct buffers are freed only by the garbage collector. <em>Confined to one
 * thread.</em>
 */
final class Memory {

    private static final int LEAST = 1 << 12;

    private final TreeMap<Integer, Deque<ByteBuffer>> free = new TreeMap<>();
    private long allocated;

    /** A tensor of this shape with any content. The caller closes it. */
    FloatTensor take(long... shape) {
        long elements = 1;
        for (long size : shape) {
            elements = Math.multiplyExact(elements, size);
        }
        int bytes = Math.toIntExact(Math.max(1, elements) * Float.BYTES);
        return new FloatTensor(this, room(bytes), shape, (int) elements);
    }

    private ByteBuffer room(int bytes) {
        Map.Entry<Integer, Deque<ByteBuffer>> found = free.ceilingEntry(bytes);
        if (found != null && found.getKey() <= 2L * Math.max(bytes, LEAST)) {
            ByteBuffer buffer = found.getValue().removeLast();
            if (found.getValue().isEmpty()) {
                free.remove(found.getKey());
            }
            return buffer;
        }
        int size = Math.max(LEAST, bytes);
        allocated += size;
        return Tensors.direct(size);
    }

    void give(ByteBuffer buffer) {
        free.computeIfAbsent(buffer.capacity(), size -> new ArrayDeque<>()).addLast(buffer);
    }

    /** The number of bytes allocated so far. */
    long allocated() {
        return allocated;
    }
}
