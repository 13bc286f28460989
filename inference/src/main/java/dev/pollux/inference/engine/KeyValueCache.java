package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The keys and values of some sequences, in buffers that are both input and output of a step. */
final class KeyValueCache implements StepCache {

    /*
     * Each state is one tensor (sequences, heads, capacity, width) over a direct buffer in native byte order, bound to both its input
     * and its output name. The attention operator compares the pointers of past and present. If they are equal, it writes the
     * new rows in place; otherwise it copies the past, which at 512 tokens takes as long as the rest of the step.
     *
     * offset of row r of head h of sequence s:  ((s · heads + h) · capacity + r) · width elements
     *
     * Invariants:
     *  1. The tensors stay the same until reserve() allocates larger ones, so bind() has nothing to do in most steps.
     *  2. Rows at and beyond the used length are undefined. To go back, the next step passes a smaller length and overwrites
     *     them; an aborted step leaves nothing to repair.
     *  3. total ≤ capacity ≤ context length. The operator does not check this, so reserve() precedes every step.
     *
     * A state of a sliding window has no more rows than the window needs (SlidingRows). The first `dropped` positions are gone, so
     * the row of a position is the position less `dropped`. reserve() drops rows, and is thus the only method that moves any.
     *
     * Capacity grows by half, in multiples of 256 rows. The distance between heads grows with it, so the used rows are copied
     * head by head, for each sequence as many as the longest one has. A direct buffer is zeroed on allocation, so the whole
     * capacity costs memory at once, used or not.
     */

    private static final int ROUND = 256;

    private final int sequences;
    private final List<StateTensor> states;
    private final ElementType type;
    private final int contextLength;
    private final ByteBuffer[] buffers; // (states)
    private final OnnxTensor[] tensors; // (states), each (sequences, heads, capacity, width)
    private final Optional<SlidingRows> window;
    private int capacity;
    private int dropped;

    KeyValueCache(int sequences, List<StateTensor> states, ElementType type, int contextLength) {
        this.sequences = sequences;
        this.states = states;
        this.type = type;
        this.contextLength = contextLength;
        this.buffers = new ByteBuffer[states.size()];
        this.tensors = new OnnxTensor[states.size()];
        this.window = states.stream().flatMap(state -> state.window().stream()).findFirst();
    }

    int capacity() {
        return capacity;
    }

    @Override
    public int dropped() {
        return dropped;
    }

    @Override
    public boolean suffices(int past) {
        return past == 0 || window.isEmpty() || window.get().suffice(dropped, past);
    }

    @Override
    public boolean drops(int past) {
        return window.isPresent() && window.get().first(past) > dropped;
    }

    @Override
    public int room(int past) {
        return window.map(rows -> rows.end(past) - past).orElse(Integer.MAX_VALUE);
    }

    @Override
    public boolean isAligned(int past, int count) {
        return window.isEmpty() || dropped == window.get().first(past) && count <= room(past);
    }

    /**
     * Drops the rows that a step after {@code past} positions does not need.
     *
     * @param used the number of positions that are there
     */
    void drop(int past, int used) {
        if (window.isEmpty()) {
            return;
        }
        int first = past == 0 ? 0 : Math.max(dropped, window.get().first(past));
        int rows = past == 0 ? 0 : Math.max(0, used - first);
        for (int i = 0; i < states.size() && first > dropped && rows > 0; i++) {
            if (states.get(i).window().isPresent()) {
                for (int head = 0; head < sequences * states.get(i).shape().get(1); head++) {
                    int at = head * capacity(i) * rowBytes(i);
                    buffers[i].put(at, buffers[i], at + (first - dropped) * rowBytes(i), rows * rowBytes(i));
                }
            }
        }
        dropped = first;
    }

    /** Also binds the tensors if they are new; otherwise the bindings of the previous step remain. */
    @Override
    public void reserve(int total, int used, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        drop(used, used);
        if (total <= capacity) {
            return;
        }
        int wanted = Math.max(total, Math.min(capacity + capacity / 2, contextLength));
        int grown = Math.min(contextLength, (wanted + ROUND - 1) / ROUND * ROUND);
        for (int i = 0; i < tensors.length; i++) {
            StateTensor state = states.get(i);
            long[] shape = state.shape(sequences, grown);
            if (capacity > 0 && shape[2] == capacity(i)) {
                continue; // a window has all its rows
            }
            ByteBuffer buffer = allocate(state, shape, type);
            int heads = (int) (shape[0] * shape[1]);
            int rows = used - dropped(i);
            copyRows(buffers[i], buffer, new Rows(heads, rowBytes(i), capacity(i), (int) shape[2], rows));
            OnnxTensor tensor = Tensors.over(buffer, type, shape);
            if (tensors[i] != null) {
                tensors[i].close();
            }
            tensors[i] = tensor;
            buffers[i] = buffer;
            inputs.put(state.input(), tensor);
            outputs.put(state.output(), tensor);
        }
        capacity = grown;
    }

    @Override
    public void bind(int past, int count, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {}

    @Override
    public void advance() {}

    /** The size of {@code rows} rows of all states of one sequence, in bytes. */
    static long bytes(List<StateTensor> states, ElementType type, int rows) {
        return states.stream()
                .mapToLong(state -> bytes(state.shape(1, rows), type))
                .sum();
    }

    /**
     * Copies rows of a sequence to a buffer: of each state, of each head, one row after the other.
     *
     * @param to at least {@link #bytes(List, ElementType, int)}
     */
    void get(int sequence, int first, int count, ByteBuffer to) {
        int at = 0;
        for (int i = 0; i < buffers.length; i++) {
            int row = rowBytes(i);
            int heads = states.get(i).shape().get(1);
            for (int head = 0; head < heads; head++) {
                to.put(at, buffers[i], offset(i, sequence, head, first - dropped(i)), count * row);
                at += count * row;
            }
        }
    }

    /** The rows of the only sequence. */
    PrefixStore.Rows blocks() {
        return new PrefixStore.Rows() {
            @Override
            public int first() {
                return dropped;
            }

            @Override
            public void write(int position, ByteBuffer block) {
                get(0, position, PrefixStore.BLOCK, block);
            }
        };
    }

    /** Copies rows of a sequence from a buffer that {@link #get} filled, except dropped ones. There must be room for them. */
    void put(int sequence, int first, int count, ByteBuffer from) {
        int at = 0;
        for (int i = 0; i < buffers.length; i++) {
            int row = rowBytes(i);
            int heads = states.get(i).shape().get(1);
            for (int head = 0; head < heads; head++) {
                int gone = Math.max(0, dropped(i) - first);
                if (gone < count) {
                    int to = offset(i, sequence, head, first + gone - dropped(i));
                    buffers[i].put(to, from, at + gone * row, (count - gone) * row);
                }
                at += count * row;
            }
        }
    }

    /**
     * Copies the rows of the first positions of a state of the first sequence, except dropped ones.
     *
     * @param at the byte at which the first head begins in {@code to}
     * @param head bytes from one head to the next in {@code to}
     */
    void copy(int state, int rows, ByteBuffer to, int at, int head) {
        int heads = states.get(state).shape().get(1);
        for (int h = 0; h < heads; h++) {
            to.put(at + h * head, buffers[state], offset(state, 0, h, 0), (rows - dropped(state)) * rowBytes(state));
        }
    }

    /** Copies the first rows of the only sequence of another cache. There must be room for them. */
    void copy(KeyValueCache from, int rows) {
        for (int i = 0; i < buffers.length; i++) {
            from.copy(i, rows, buffers[i], 0, capacity(i) * rowBytes(i));
        }
        dropped = from.dropped;
    }

    /** The number of rows of a state for which there is room. */
    private int capacity(int state) {
        return (int) states.get(state).shape(1, capacity)[2];
    }

    private int dropped(int state) {
        return states.get(state).window().isPresent() ? dropped : 0;
    }

    private int offset(int state, int sequence, int head, int row) {
        int heads = states.get(state).shape().get(1);
        return ((sequence * heads + head) * capacity(state) + row) * rowBytes(state);
    }

    private int rowBytes(int state) {
        return states.get(state).shape().get(3) * type.bytes();
    }

    /** The size of a tensor of this shape in bytes. */
    static long bytes(long[] shape, ElementType type) {
        long bytes = type.bytes();
        for (long size : shape) {
            bytes = Math.multiplyExact(bytes, size);
        }
        return bytes;
    }

    /** Allocates a buffer for a state of this shape. */
    static ByteBuffer allocate(StateTensor state, long[] shape, ElementType type) {
        long bytes = bytes(shape, type);
        long rows = shape[2];
        if (bytes > Integer.MAX_VALUE) {
            throw new UnsupportedModelException(state.input() + " would need " + bytes + " bytes for " + rows
                    + " positions, more than one tensor can hold (2147483647); use a shorter context");
        }
        try {
            return Tensors.direct((int) bytes);
        } catch (OutOfMemoryError e) {
            throw new ModelExecutionException(
                    "No memory for " + rows + " positions of " + state.input() + " (" + bytes
                            + " bytes); use a shorter context or raise -XX:MaxDirectMemorySize",
                    e);
        }
    }

    private record Rows(int heads, int bytes, int oldCapacity, int newCapacity, int used) {}

    private static void copyRows(ByteBuffer from, ByteBuffer to, Rows rows) {
        if (from == null || rows.used == 0) {
            return;
        }
        for (int head = 0; head < rows.heads; head++) {
            int length = rows.used * rows.bytes;
            to.put(head * rows.newCapacity * rows.bytes, from, head * rows.oldCapacity * rows.bytes, length);
        }
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
