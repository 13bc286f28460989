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

    /*
     * Rows of tokens have many lengths, so their tensors have many sizes. Buffers have four sizes an octave: then those of one row
     * serve the next, where exact sizes would pile up from row to row. What stays for the whole run has its exact size.
     */

    private static final int LEAST = 1 << 12;
    private static final int SIZES = 4; // in an octave

    private final TreeMap<Integer, Deque<ByteBuffer>> free = new TreeMap<>();
    private long allocated;
    private float[] scratch = new float[0];

    /** A tensor of this shape with any content, for a short time. The caller closes it. */
    FloatTensor take(long... shape) {
        int bytes = bytes(shape);
        return new FloatTensor(this, room(bytes), shape, elements(shape));
    }

    /** A tensor of this shape with any content, for the whole run. The caller closes it. */
    FloatTensor hold(long... shape) {
        int bytes = Math.max(LEAST, bytes(shape));
        allocated += bytes;
        return new FloatTensor(this, Tensors.direct(bytes), shape, elements(shape));
    }

    private static int bytes(long... shape) {
        return Math.toIntExact((long) Math.max(1, elements(shape)) * Float.BYTES);
    }

    private static int elements(long... shape) {
        long elements = 1;
        for (long size : shape) {
            elements = Math.multiplyExact(elements, size);
        }
        return Math.toIntExact(elements);
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
        int size = rounded(Math.max(LEAST, bytes));
        allocated += size;
        return Tensors.direct(size);
    }

    private static int rounded(int bytes) {
        int unit = Integer.highestOneBit(bytes) / SIZES;
        return Math.toIntExact(Math.min(Integer.MAX_VALUE, ((long) bytes + unit - 1) / unit * unit));
    }

    /** An array of at least this length with any content, until the next call. */
    float[] scratch(int length) {
        if (scratch.length < length) {
            scratch = new float[length];
        }
        return scratch;
    }

    void give(ByteBuffer buffer) {
        free.computeIfAbsent(buffer.capacity(), size -> new ArrayDeque<>()).addLast(buffer);
    }

    /** The number of bytes allocated so far. */
    long allocated() {
        return allocated;
    }
}
