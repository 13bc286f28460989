package dev.pollux.finetune.internal.training;

import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Direct memory for tensors, which is used again: direct buffers are freed only by the garbage collector. <em>Confined to one
 * thread.</em>
 */
final class Memory {

    /*
     * Rows of tokens have many lengths, so their tensors have many sizes. They are parts of slabs; a part that is given back joins
     * its free neighbours, and the next tensor gets the smallest free part that it fits in. So memory grows to what one row needs,
     * where a buffer for each tensor would stay for each length. A tensor that is larger than a slab, such as the table of a large
     * vocabulary, has a slab for its like alone: small tensors in it would make the next large one take another. What is held for the
     * whole run has a buffer of its own.
     */

    private static final int ALIGNMENT = 64;
    private static final int LEAST_SLAB = 1 << 20;
    private static final int LARGEST_SLAB = 1 << 25;

    private final List<Slab> slabs = new ArrayList<>();
    private long allocated;
    private float[] scratch = new float[0];

    /** Bytes of a slab with its free parts, sizes by where they begin. */
    private record Slab(ByteBuffer bytes, TreeMap<Integer, Integer> free) {

        boolean isFor(int size) {
            return bytes.capacity() <= LARGEST_SLAB || size > bytes.capacity() / 2;
        }
    }

    /** A part of a slab. */
    private record Room(Slab slab, int first, int size) {

        ByteBuffer bytes() {
            return slab.bytes().slice(first, size).order(slab.bytes().order());
        }

        /** Gives the part back. */
        void free() {
            int from = first;
            int joined = size;
            Map.Entry<Integer, Integer> before = slab.free().lowerEntry(first);
            if (before != null && before.getKey() + before.getValue() == first) {
                from = before.getKey();
                joined += before.getValue();
            }
            Integer after = slab.free().remove(first + size);
            slab.free().put(from, after == null ? joined : joined + after);
        }
    }

    /** A tensor of this shape with any content, for a short time. The caller closes it. */
    FloatTensor take(long... shape) {
        Room room = room(aligned(bytes(shape)));
        return new FloatTensor(this, room.bytes(), room::free, shape);
    }

    /** A tensor of this shape with any content, for the whole run. The caller closes it. */
    FloatTensor hold(long... shape) {
        int bytes = aligned(bytes(shape));
        allocated += bytes;
        return new FloatTensor(this, Tensors.direct(bytes), () -> {}, shape);
    }

    private static int bytes(long... shape) {
        return Math.toIntExact((long) Math.max(1, elements(shape)) * Float.BYTES);
    }

    static int elements(long... shape) {
        long elements = 1;
        for (long size : shape) {
            elements = Math.multiplyExact(elements, size);
        }
        return Math.toIntExact(elements);
    }

    private static int aligned(int bytes) {
        return Math.toIntExact(((long) bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    private Room room(int size) {
        Slab best = null;
        int first = 0;
        int left = Integer.MAX_VALUE;
        for (Slab slab : slabs) {
            if (!slab.isFor(size)) {
                continue;
            }
            for (Map.Entry<Integer, Integer> part : slab.free().entrySet()) {
                if (part.getValue() >= size && part.getValue() - size < left) {
                    best = slab;
                    first = part.getKey();
                    left = part.getValue() - size;
                }
            }
        }
        if (best == null) {
            best = slab(size);
            left = best.bytes().capacity() - size;
        }
        best.free().remove(first);
        if (left > 0) {
            best.free().put(first + size, left);
        }
        return new Room(best, first, size);
    }

    /** A new slab, the larger the more there are. */
    private Slab slab(int size) {
        int bytes = aligned(Math.max(size, (int) Math.min(LARGEST_SLAB, Math.max(LEAST_SLAB, allocated / 8))));
        allocated += bytes;
        Slab slab = new Slab(Tensors.direct(bytes), new TreeMap<>(Map.of(0, bytes)));
        slabs.add(slab);
        return slab;
    }

    /** An array of at least this length with any content, until the next call. */
    float[] scratch(int length) {
        if (scratch.length < length) {
            scratch = new float[length];
        }
        return scratch;
    }

    /** The number of bytes allocated so far. */
    long allocated() {
        return allocated;
    }
}
