package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Slots of a buffer against a list of sequences: each keeps its rows while others join, grow, move and leave. */
class SlotCacheTest {

    private static final int CONTEXT = 700;
    private static final StateTensor STATE =
            new StateTensor("past.key", "present.key", Kind.KEY_VALUE, List.of(-1, 3, -2, 2));

    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();

    private static FloatBuffer values(OnnxTensor tensor) {
        ByteBuffer bytes =
                (ByteBuffer) Objects.requireNonNull(tensor).getBufferRef().orElseThrow();
        return bytes.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** A sequence whose row r of head h is (number, h · 1000 + r). */
    private record Content(int number, int[] length) {}

    private int at(int slot, int head, int row) {
        long[] shape = CacheRows.shape(inputs, STATE);
        return (int) (((slot * shape[1] + head) * shape[2] + row) * shape[3]);
    }

    private void write(int slot, Content content, int row) {
        FloatBuffer values = values(inputs.get("past.key"));
        for (int head = 0; head < 3; head++) {
            values.put(at(slot, head, row), content.number());
            values.put(at(slot, head, row) + 1, head * 1000 + row);
        }
    }

    private void check(List<Content> slots, String when) {
        FloatBuffer values = values(inputs.get("past.key"));
        for (int slot = 0; slot < slots.size(); slot++) {
            for (int head = 0; head < 3; head++) {
                for (int row = 0; row < slots.get(slot).length()[0]; row++) {
                    assertThat(values.get(at(slot, head, row)))
                            .as("%s, slot %d, head %d, row %d", when, slot, head, row)
                            .isEqualTo(slots.get(slot).number());
                    assertThat(values.get(at(slot, head, row) + 1)).isEqualTo(head * 1000 + row);
                }
            }
        }
    }

    @Test
    void sequencesKeepTheirRows() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<Content> slots = new ArrayList<>();
        try (SlotCache cache = new SlotCache(List.of(STATE), ElementType.FLOAT, CONTEXT, 8)) {
            for (int round = 0; round < 300; round++) {
                String when = "seed " + seed + ", round " + round;
                int[] used = slots.stream().mapToInt(one -> one.length()[0]).toArray();
                if (slots.size() < 7 && random.nextInt(3) == 0) {
                    cache.reserve(slots.size() + 1, 1, used);
                    slots.add(new Content(round, new int[1]));
                } else if (!slots.isEmpty() && random.nextInt(6) == 0) {
                    int gone = random.nextInt(slots.size());
                    Content last = slots.remove(slots.size() - 1);
                    if (gone < slots.size()) {
                        cache.move(slots.size(), gone, last.length()[0]);
                        slots.set(gone, last);
                    }
                }
                for (int slot = 0; slot < slots.size(); slot++) {
                    int[] length = slots.get(slot).length();
                    for (int more = random.nextInt(40); more > 0 && length[0] + 1 < CONTEXT; more--) {
                        int[] now =
                                slots.stream().mapToInt(one -> one.length()[0]).toArray();
                        cache.reserve(slots.size() + slots.size() % 2, length[0] + 2, now);
                        cache.bind(slots.size(), inputs, outputs);
                        write(slot, slots.get(slot), length[0]++);
                        write(slot, new Content(-1, length), length[0]); // a filler
                    }
                }
                if (!slots.isEmpty()) {
                    cache.bind(slots.size(), inputs, outputs);
                    assertThat(inputs.get("past.key")).isSameAs(outputs.get("present.key"));
                    check(slots, when);
                }
            }
        }
    }
}
