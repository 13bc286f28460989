package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The states of some sequences that every step replaces as a whole: convolutions, scans, delta rules. <em>Confined to one
 * thread.</em>
 */
final class RecurrentStates implements AutoCloseable {

    /*
     * Each state has two buffers: a step reads buffers[current] and writes buffers[1 - current]; advance() swaps them. A failed
     * step does not swap, so the old states stay intact.
     *
     * A step overwrites the states of the step before the last. So a sequence can go back by one step: buffers[1 - current] contain
     * the states after `before` tokens until the next step begins. That is what a refused draft needs, and costs nothing. To go back
     * further, save() keeps copies, newest first, and restore() returns to the latest states that are short enough; the caller then
     * reads the tokens after them again.
     *
     * Invariants:
     *  1. The lengths in saved are strictly decreasing, and each is at most the length of the sequence.
     *  2. The copies take at most MAX_SAVED_BYTES, except that the newest is always kept.
     */

    /** Maximum size of the copies, not counting the latest one. */
    private static final long MAX_SAVED_BYTES = 64L << 20;

    private final List<StateTensor> states;
    private final ByteBuffer[][] buffers; // (2, states)
    private final OnnxTensor[][] tensors; // (2, states), each (sequences, …)
    private final long bytes;
    private final Deque<Saved> saved = new ArrayDeque<>(); // newest first
    private int current;
    private int before = -1; // the number of tokens that buffers[1 - current] have read; -1 if they are not valid

    private record Saved(int length, ByteBuffer[] values) {}

    RecurrentStates(int sequences, List<StateTensor> states) {
        this.states = states;
        this.buffers = new ByteBuffer[2][states.size()];
        this.tensors = new OnnxTensor[2][states.size()];
        long sum = 0;
        for (int i = 0; i < states.size(); i++) {
            long[] shape = states.get(i).shape(sequences, 0);
            long size = KeyValueCache.bytes(shape, ElementType.FLOAT);
            sum += size;
            for (int side = 0; side < 2; side++) {
                buffers[side][i] = Tensors.direct(Math.toIntExact(size));
                tensors[side][i] = Tensors.over(buffers[side][i], ElementType.FLOAT, shape);
            }
        }
        this.bytes = sum;
    }

    /** Binds the tensors for the next step. */
    void bind(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        before = -1; // the step writes there, even if it fails
        for (int i = 0; i < states.size(); i++) {
            inputs.put(states.get(i).input(), tensors[current][i]);
            outputs.put(states.get(i).output(), tensors[1 - current][i]);
        }
    }

    /**
     * Ends a step: its outputs become the inputs of the next one.
     *
     * @param past the number of tokens read before the step
     */
    void advance(int past) {
        current = 1 - current;
        before = past;
    }

    /** Saves a copy of the states after {@code length} tokens. Older copies are dropped if they exceed the limit. */
    void save(int length) {
        if (states.isEmpty()) {
            return;
        }
        saved.removeIf(copy -> copy.length() >= length);
        ByteBuffer[] copies = new ByteBuffer[states.size()];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = ByteBuffer.allocateDirect(buffers[current][i].capacity());
            copies[i].put(0, buffers[current][i], 0, copies[i].capacity());
        }
        saved.push(new Saved(length, copies));
        while (saved.size() > 1 && saved.size() * bytes > MAX_SAVED_BYTES) {
            saved.removeLast();
        }
    }

    /**
     * Restores the latest known states of at most {@code length} tokens, or the initial ones.
     *
     * @return the number of tokens that the restored states have read
     */
    int restore(int length) {
        saved.removeIf(copy -> copy.length() > length);
        Iterator<Saved> copies = saved.iterator();
        Saved copy = copies.hasNext() ? copies.next() : null;
        if (!states.isEmpty() && before >= 0 && before <= length && (copy == null || before >= copy.length())) {
            int restored = before;
            current = 1 - current;
            before = -1;
            return restored;
        }
        before = -1;
        for (int i = 0; i < states.size(); i++) {
            ByteBuffer target = buffers[current][i];
            if (copy != null) {
                target.put(0, copy.values()[i], 0, target.capacity());
            } else {
                target.clear();
                while (target.remaining() >= Long.BYTES) {
                    target.putLong(0);
                }
                while (target.hasRemaining()) {
                    target.put((byte) 0);
                }
                target.clear();
            }
        }
        return copy == null ? 0 : copy.length();
    }

    boolean isEmpty() {
        return states.isEmpty();
    }

    @Override
    public void close() {
        for (OnnxTensor[] side : tensors) {
            for (OnnxTensor tensor : side) {
                if (tensor != null) {
                    tensor.close();
                }
            }
        }
    }
}
