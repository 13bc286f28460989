package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.decoder.DecoderManifest.State;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/**
 * The keys and values of one sequence, in buffers that are input and output of a step at once.
 *
 * <p>Each state is one tensor (1, heads, capacity, width) over a direct buffer, bound under its input and its output name:
 * the runtime sees equal pointers and appends in place instead of copying the past at every step. Rows beyond the used
 * length hold anything, so going back is only a smaller length at the next step.
 */
final class KeyValueCache implements AutoCloseable {

    private static final int ROUND = 256;

    private final OrtEnvironment environment;
    private final List<State> states;
    private final int contextLength;
    private final ByteBuffer[] buffers; // (states)
    private final OnnxTensor[] tensors; // (states), each (1, heads, capacity, width)
    private int capacity;

    KeyValueCache(OrtEnvironment environment, List<State> states, int contextLength) {
        this.environment = environment;
        this.states = states;
        this.contextLength = contextLength;
        this.buffers = new ByteBuffer[states.size()];
        this.tensors = new OnnxTensor[states.size()];
    }

    int capacity() {
        return capacity;
    }

    /** Makes room for {@code total} positions, keeping the first {@code used}, and binds the tensors if they are new. */
    void ensure(int total, int used, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        if (total <= capacity) {
            return;
        }
        int wanted = Math.max(total, Math.min(capacity + capacity / 2, contextLength));
        int grown = Math.min(contextLength, (wanted + ROUND - 1) / ROUND * ROUND);
        for (int i = 0; i < tensors.length; i++) {
            State state = states.get(i);
            int heads = state.shape().get(1);
            int width = state.shape().get(3);
            ByteBuffer buffer = allocate(state, heads, grown, width);
            copyRows(buffers[i], buffer, new Rows(heads, width, capacity, grown, used));
            try {
                OnnxTensor tensor = OnnxTensor.createTensor(
                        environment, buffer.asFloatBuffer(), new long[] {1, heads, grown, width});
                if (tensors[i] != null) {
                    tensors[i].close();
                }
                tensors[i] = tensor;
                buffers[i] = buffer;
                inputs.put(state.input(), tensor);
                outputs.put(state.output(), tensor);
            } catch (OrtException e) {
                throw new ModelExecutionException("Cannot make room for " + total + " positions: " + e.getMessage(), e);
            }
        }
        capacity = grown;
    }

    private static ByteBuffer allocate(State state, int heads, int rows, int width) {
        long bytes = (long) heads * rows * width * Float.BYTES;
        if (bytes > Integer.MAX_VALUE) {
            throw new UnsupportedModelException(state.input() + " would need " + bytes + " bytes for " + rows
                    + " positions, more than one tensor can hold (2147483647); use a shorter context");
        }
        try {
            return ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder());
        } catch (OutOfMemoryError e) {
            throw new ModelExecutionException(
                    "No memory for " + rows + " positions of " + state.input() + " (" + bytes
                            + " bytes); use a shorter context or raise -XX:MaxDirectMemorySize",
                    e);
        }
    }

    private record Rows(int heads, int width, int oldCapacity, int newCapacity, int used) {}

    private static void copyRows(ByteBuffer from, ByteBuffer to, Rows rows) {
        if (from == null || rows.used == 0) {
            return;
        }
        FloatBuffer source = from.asFloatBuffer();
        FloatBuffer target = to.asFloatBuffer();
        for (int head = 0; head < rows.heads; head++) {
            int length = rows.used * rows.width;
            target.put(head * rows.newCapacity * rows.width, source, head * rows.oldCapacity * rows.width, length);
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
