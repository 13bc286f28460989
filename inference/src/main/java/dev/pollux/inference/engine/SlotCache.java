package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** The keys and values of sequences that share steps, each in a slot. <em>Confined to one thread at a time.</em> */
final class SlotCache implements AutoCloseable {

    /*
     * Each state is one direct buffer (slots, heads, capacity, width). Slots are contiguous, so a step of the first n sequences
     * binds a tensor over the beginning of the buffer, which is both input and output. A sequence joins by a copy of its rows, and
     * when one leaves, the last one moves to its slot.
     *
     * Slots double and rows grow by half when they do not suffice: the used rows are copied to new buffers. Rows at and beyond the
     * length of a slot hold anything; a filler writes there.
     */

    private static final int ROUND = 256;

    private final List<StateTensor> states;
    private final ElementType type;
    private final int contextLength;
    private final int mostSlots;
    private final ByteBuffer[] buffers; // (states)
    private final OnnxTensor[] tensors; // (states), each (bound, heads, capacity, width)
    private int slots;
    private int capacity;
    private int bound;

    SlotCache(List<StateTensor> states, ElementType type, int contextLength, int mostSlots) {
        this.states = states;
        this.type = type;
        this.contextLength = contextLength;
        this.mostSlots = mostSlots;
        this.buffers = new ByteBuffer[states.size()];
        this.tensors = new OnnxTensor[states.size()];
    }

    /**
     * Makes room for the first {@code count} slots of {@code rows} rows.
     *
     * @param used (slots in use), the rows of each that are kept
     */
    void reserve(int count, int rows, int[] used) {
        if (count <= slots && rows <= capacity) {
            return;
        }
        int moreSlots = count <= slots ? slots : Math.min(mostSlots, Math.max(count, 2 * slots));
        int wanted = rows <= capacity ? capacity : Math.max(rows, Math.min(capacity + capacity / 2, contextLength));
        int moreRows = Math.min(contextLength, (wanted + ROUND - 1) / ROUND * ROUND);
        for (int i = 0; i < buffers.length; i++) {
            StateTensor state = states.get(i);
            ByteBuffer grown = KeyValueCache.allocate(state, state.shape(moreSlots, moreRows), type);
            int row = rowBytes(i);
            for (int slot = 0; slot < used.length; slot++) {
                for (int head = 0; head < heads(i); head++) {
                    int place = slot * heads(i) + head;
                    grown.put(place * moreRows * row, buffers[i], place * capacity * row, used[slot] * row);
                }
            }
            buffers[i] = grown;
        }
        slots = moreSlots;
        capacity = moreRows;
        bound = 0;
    }

    /** Copies the rows of the only sequence of another cache to a slot. */
    void take(int slot, KeyValueCache from, int rows) {
        for (int i = 0; i < buffers.length; i++) {
            from.copy(i, rows, buffers[i], slot * heads(i) * capacity * rowBytes(i), capacity * rowBytes(i));
        }
    }

    /** Copies the rows of a slot to another one. */
    void move(int from, int to, int rows) {
        for (int i = 0; i < buffers.length; i++) {
            int head = capacity * rowBytes(i);
            for (int h = 0; h < heads(i); h++) {
                buffers[i].put(
                        (to * heads(i) + h) * head, buffers[i], (from * heads(i) + h) * head, rows * rowBytes(i));
            }
        }
    }

    /** Binds the first {@code count} slots. */
    void bind(int count, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        if (count == bound) {
            return;
        }
        for (int i = 0; i < buffers.length; i++) {
            StateTensor state = states.get(i);
            long[] shape = state.shape(count, capacity);
            OnnxTensor old = tensors[i];
            tensors[i] = Tensors.over(
                    buffers[i].duplicate().clear().limit((int) KeyValueCache.bytes(shape, type)), type, shape);
            inputs.put(state.input(), tensors[i]);
            outputs.put(state.output(), tensors[i]);
            if (old != null) {
                old.close();
            }
        }
        bound = count;
    }

    private int heads(int state) {
        return states.get(state).shape().get(1);
    }

    private int rowBytes(int state) {
        return states.get(state).shape().get(3) * type.bytes();
    }

    @Override
    public void close() {
        for (OnnxTensor tensor : tensors) {
            if (tensor != null) {
                tensor.close();
            }
        }
    }
}
