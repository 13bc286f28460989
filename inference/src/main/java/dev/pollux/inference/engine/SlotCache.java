package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The keys and values of sequences that share steps, each in a slot. <em>Confined to one thread at a time.</em> */
final class SlotCache implements AutoCloseable {

    /*
     * Each state is one direct buffer (slots, heads, capacity, width). Slots are contiguous, so a step of the first n sequences
     * binds a tensor over the beginning of the buffer, which is both input and output. A sequence joins by a copy of its rows, and
     * when one leaves, the last one moves to its slot.
     *
     * Of a state with a sliding window, each slot has dropped the first positions by itself (KeyValueCache).
     *
     * Slots double and rows grow by half when they do not suffice: the used rows are copied to new buffers. Rows at and beyond the
     * length of a slot hold anything; a filler writes there.
     */

    private static final int ROUND = 256;

    private final List<StateTensor> states;
    private final ElementType type;
    private final int contextLength;
    private final int mostSlots;
    private final Optional<SlidingRows> window;
    private final ByteBuffer[] buffers; // (states)
    private final OnnxTensor[] tensors; // (states), each (bound, heads, capacity, width)
    private int slots;
    private int capacity;
    private int bound;
    private final int[] dropped; // (mostSlots)

    SlotCache(List<StateTensor> states, ElementType type, int contextLength, int mostSlots) {
        this.states = states;
        this.type = type;
        this.contextLength = contextLength;
        this.mostSlots = mostSlots;
        this.window = states.stream().flatMap(state -> state.window().stream()).findFirst();
        this.buffers = new ByteBuffer[states.size()];
        this.tensors = new OnnxTensor[states.size()];
        this.dropped = new int[mostSlots];
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
            long[] shape = state.shape(moreSlots, moreRows);
            ByteBuffer grown = KeyValueCache.allocate(state, shape, type);
            int row = rowBytes(i);
            int grownHead = (int) shape[2] * row;
            for (int slot = 0; slot < used.length; slot++) {
                for (int head = 0; head < heads(i); head++) {
                    int place = slot * heads(i) + head;
                    int length = (used[slot] - dropped(i, slot)) * row;
                    grown.put(place * grownHead, buffers[i], place * headBytes(i), length);
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
            from.copy(i, rows, buffers[i], slot * heads(i) * headBytes(i), headBytes(i));
        }
        dropped[slot] = from.dropped();
    }

    /** Copies the rows of a slot to another one. */
    void move(int from, int to, int rows) {
        for (int i = 0; i < buffers.length; i++) {
            int head = headBytes(i);
            int length = (rows - dropped(i, from)) * rowBytes(i);
            for (int h = 0; h < heads(i); h++) {
                buffers[i].put((to * heads(i) + h) * head, buffers[i], (from * heads(i) + h) * head, length);
            }
        }
        dropped[to] = dropped[from];
    }

    /** Drops the rows of a slot that its next token does not need, and returns the number of dropped positions. */
    int drop(int slot, int length) {
        int first = window.map(rows -> rows.first(length)).orElse(0);
        if (first <= dropped[slot]) {
            return dropped[slot]; // as in nearly every step
        }
        for (int i = 0; i < buffers.length; i++) {
            if (states.get(i).window().isPresent()) {
                int gone = (first - dropped[slot]) * rowBytes(i);
                for (int h = 0; h < heads(i); h++) {
                    int at = (slot * heads(i) + h) * headBytes(i);
                    buffers[i].put(at, buffers[i], at + gone, (length - first) * rowBytes(i));
                }
            }
        }
        dropped[slot] = first;
        return first;
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

    /** The bytes from one head to the next. */
    private int headBytes(int state) {
        return (int) states.get(state).shape(1, capacity)[2] * rowBytes(state);
    }

    private int dropped(int state, int slot) {
        return states.get(state).window().isPresent() ? dropped[slot] : 0;
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
