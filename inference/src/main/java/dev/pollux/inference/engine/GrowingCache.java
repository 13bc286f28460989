package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of one sequence, for graphs whose outputs are the past followed by the new rows.
 */
final class GrowingCache implements StepCache {

    /*
     * Each state has two buffers. A step reads the past from one, (1, heads, past, width), and writes past and new rows to the
     * other, (1, heads, past + S, width); then the two are swapped. The graph determines this layout, so the past is copied in
     * every step.
     *
     * Invariants:
     *  1. buffers[side] contains the rows of the last step, without gaps between heads. The tensors are views over the
     *     buffers. Their shape includes the length, so each step creates the view that it writes.
     *  2. To go back to fewer rows, bind() moves the heads together (closeUp), because the next step expects them without gaps.
     *  3. A step that fails does not swap the buffers, so the past stays intact.
     */

    private static final int ROUND = 256;

    private final List<StateTensor> states;
    private final ElementType type;
    private final ByteBuffer[][] buffers; // (2, states)
    private final @Nullable OnnxTensor[][] tensors; // (2, states)
    private int side;
    private int length;
    private int next;
    private int capacity = ROUND;

    GrowingCache(List<StateTensor> states, ElementType type) {
        this.states = states;
        this.type = type;
        this.buffers = new ByteBuffer[2][states.size()];
        this.tensors = new OnnxTensor[2][states.size()];
        for (int i = 0; i < states.size(); i++) {
            buffers[0][i] = Tensors.direct(0);
            buffers[1][i] = Tensors.direct(0);
        }
    }

    @Override
    public void reserve(int total, int used, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        if (total > capacity) {
            long grown = Math.max(total, capacity + capacity / 2L);
            capacity = (int) Math.min(Integer.MAX_VALUE, (grown + ROUND - 1) / ROUND * ROUND);
        }
    }

    @Override
    public void bind(int past, int count, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        if (past > length) {
            throw new IllegalStateException("The cache holds " + length + " positions, not " + past);
        }
        next = past + count;
        for (int i = 0; i < states.size(); i++) {
            StateTensor state = states.get(i);
            if (past < length) {
                closeUp(buffers[side][i], state, past);
            }
            if (past < length || tensors[side][i] == null) {
                view(side, i, past);
            }
            long bytes = KeyValueCache.bytes(state.shape(1, next), type);
            if (bytes > buffers[1 - side][i].capacity()) {
                buffers[1 - side][i] = KeyValueCache.allocate(state, state.shape(1, Math.max(next, capacity)), type);
            }
            view(1 - side, i, next);
            inputs.put(state.input(), tensors[side][i]);
            outputs.put(state.output(), tensors[1 - side][i]);
        }
        length = past;
    }

    private void view(int at, int i, int rows) {
        StateTensor state = states.get(i);
        OnnxTensor old = tensors[at][i];
        ByteBuffer buffer = buffers[at][i];
        long[] shape = state.shape(1, rows);
        buffer.clear().limit((int) KeyValueCache.bytes(shape, type));
        tensors[at][i] = Tensors.over(buffer, type, shape);
        if (old != null) {
            old.close();
        }
    }

    /** Moves the heads together so that each keeps its first {@code past} rows. */
    private void closeUp(ByteBuffer buffer, StateTensor state, int past) {
        int heads = state.shape().get(1);
        int row = state.shape().get(3) * type.bytes();
        buffer.clear();
        for (int head = 1; head < heads; head++) {
            buffer.put(head * past * row, buffer, head * length * row, past * row);
        }
    }

    @Override
    public void advance() {
        side = 1 - side;
        length = next;
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
