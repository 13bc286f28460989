package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/** What a cache must hold, row by row, and the runtime's part: it writes the rows of a step into the tensors of its output. */
final class CacheRows {

    private final List<StateTensor> states;
    private final ElementType type;
    private final Random random;
    private final List<List<byte[]>> rows = new ArrayList<>(); // (states, length), each (heads, width)
    private int length;

    CacheRows(List<StateTensor> states, ElementType type, Random random) {
        this.states = states;
        this.type = type;
        this.random = random;
        states.forEach(state -> rows.add(new ArrayList<>()));
    }

    /** A state of keys or values with inputs {@code past.NAME} and outputs {@code present.NAME}. */
    static StateTensor state(String name, int heads, int width) {
        return new StateTensor("past." + name, "present." + name, Kind.KEY_VALUE, List.of(1, heads, -1, width));
    }

    /** The same for any number of sequences. */
    static StateTensor batched(String name, int heads, int width) {
        return new StateTensor("past." + name, "present." + name, Kind.KEY_VALUE, List.of(-1, heads, -1, width));
    }

    static long[] shape(Map<String, OnnxTensor> tensors, StateTensor state) {
        return Objects.requireNonNull(tensors.get(state.input())).getInfo().getShape();
    }

    int length() {
        return length;
    }

    void truncate(int newLength) {
        rows.forEach(list -> list.subList(newLength, list.size()).clear());
        length = newLength;
    }

    /** A step of {@code count} tokens that gives tensors of {@code capacity} rows: the past in place, or copied. */
    void append(int count, int capacity, Map<String, OnnxTensor> outputs) {
        for (int s = 0; s < states.size(); s++) {
            StateTensor state = states.get(s);
            for (int i = 0; i < count; i++) {
                byte[] row = new byte[heads(state) * bytes(state)];
                random.nextBytes(row);
                rows.get(s).add(row);
            }
            ByteBuffer buffer = buffer(outputs.get(state.output()));
            for (int r = 0; r < length + count; r++) {
                for (int head = 0; head < heads(state); head++) {
                    int at = (head * capacity + r) * bytes(state);
                    buffer.put(at, rows.get(s).get(r), head * bytes(state), bytes(state));
                }
            }
        }
        length += count;
    }

    /** The tensors that the next step reads have {@code capacity} rows, of which the first are these. */
    void assertHeldBy(Map<String, OnnxTensor> inputs, int capacity, String when) {
        for (int s = 0; s < states.size(); s++) {
            StateTensor state = states.get(s);
            ByteBuffer buffer = buffer(inputs.get(state.input()));
            assertThat(buffer.capacity()).as(when).isGreaterThanOrEqualTo(heads(state) * capacity * bytes(state));
            for (int r = 0; r < length; r++) {
                byte[] held = new byte[heads(state) * bytes(state)];
                for (int head = 0; head < heads(state); head++) {
                    buffer.get((head * capacity + r) * bytes(state), held, head * bytes(state), bytes(state));
                }
                assertThat(held)
                        .as("%s: row %d of %s", when, r, state.input())
                        .containsExactly(rows.get(s).get(r));
            }
        }
    }

    private int bytes(StateTensor state) {
        return state.shape().get(3) * type.bytes();
    }

    private static int heads(StateTensor state) {
        return state.shape().get(1);
    }

    /** The memory that the runtime reads and writes. */
    private static ByteBuffer buffer(OnnxTensor tensor) {
        return (ByteBuffer) Objects.requireNonNull(tensor).getBufferRef().orElseThrow();
    }
}
