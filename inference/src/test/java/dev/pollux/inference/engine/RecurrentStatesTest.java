package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** States that each step replaces; the test writes what the runtime would: the number of tokens read. */
class RecurrentStatesTest {

    private static final List<StateTensor> STATES = List.of(
            new StateTensor("past.conv", "present.conv", Kind.RECURRENT, List.of(1, 3, 2)),
            new StateTensor("past.scan", "present.scan", Kind.RECURRENT, List.of(1, 5)));

    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();

    private static RecurrentStates of(List<StateTensor> states) {
        return new RecurrentStates(1, states);
    }

    private static FloatBuffer values(OnnxTensor tensor) {
        ByteBuffer bytes =
                (ByteBuffer) Objects.requireNonNull(tensor).getBufferRef().orElseThrow();
        return bytes.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private int before = -1; // tokens before the last step, if it can be taken back

    private void step(RecurrentStates states, float value) {
        step(states, value, 0);
    }

    private void step(RecurrentStates states, float value, int past) {
        states.bind(inputs, outputs);
        for (StateTensor state : STATES) {
            FloatBuffer written = values(outputs.get(state.output()));
            for (int i = 0; i < written.capacity(); i++) {
                written.put(i, value + i);
            }
        }
        states.advance(past);
        before = past;
    }

    private void assertReads(RecurrentStates states, float value, String when) {
        states.bind(inputs, outputs);
        for (StateTensor state : STATES) {
            FloatBuffer read = values(inputs.get(state.input()));
            for (int i = 0; i < read.capacity(); i++) {
                assertThat(read.get(i)).as("%s: %s[%d]", when, state.input(), i).isEqualTo(value == 0 ? 0 : value + i);
            }
        }
    }

    @Test
    void aModelWithoutSuchStatesIsEmptyAndGoesBackToTheBeginning() {
        try (RecurrentStates none = of(List.of())) {
            assertThat(none.isEmpty()).isTrue();
            none.save(10);
            assertThat(none.restore(5)).isZero();
            none.bind(inputs, outputs);
            assertThat(inputs).isEmpty();
        }
    }

    @Test
    void theyBeginWithZerosAndAStepReadsWhatTheOneBeforeWrote() {
        try (RecurrentStates states = of(STATES)) {
            assertThat(states.isEmpty()).isFalse();
            assertReads(states, 0, "at the beginning");
            step(states, 7);
            assertReads(states, 7, "after a step");
            step(states, 9);
            assertReads(states, 9, "after two");
        }
    }

    @Test
    void eachSequenceHasItsOwn() {
        StateTensor state = new StateTensor("past.conv", "present.conv", Kind.RECURRENT, List.of(-1, 3, 2));
        try (RecurrentStates states = new RecurrentStates(4, List.of(state))) {
            states.bind(inputs, outputs);
            assertThat(CacheRows.shape(inputs, state)).containsExactly(4, 3, 2);
            assertThat(values(outputs.get("present.conv")).capacity()).isEqualTo(24);
        }
    }

    @Test
    void aStepThatFailedChangesNothing() {
        try (RecurrentStates states = of(STATES)) {
            step(states, 7);
            states.bind(inputs, outputs);
            values(outputs.get("present.conv")).put(0, -1);
            assertReads(states, 7, "after a step that failed");
        }
    }

    /** Against a map from length to state: going back finds the states before the last step, or the latest copy. */
    @Test
    void goingBackFindsTheLatestStates() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        TreeMap<Integer, Float> copies = new TreeMap<>();
        try (RecurrentStates states = of(STATES)) {
            int length = 0;
            float value = 0;
            for (int round = 0; round < 500; round++) {
                String when = "seed " + seed + ", round " + round;
                float valueBefore = value;
                int past = length;
                length += 1 + random.nextInt(5);
                value = 1 + random.nextInt(1000);
                step(states, value, past);
                if (random.nextBoolean()) {
                    states.save(length);
                    copies.tailMap(length, true).clear();
                    copies.put(length, value);
                }
                while (random.nextInt(3) == 0) {
                    int back = random.nextInt(length + 1);
                    copies.tailMap(back, false).clear();
                    Map.Entry<Integer, Float> latest = copies.lastEntry();
                    boolean undone = before >= 0 && before <= back && (latest == null || before >= latest.getKey());
                    length = undone ? before : latest == null ? 0 : latest.getKey();
                    value = undone ? valueBefore : latest == null ? 0 : latest.getValue();
                    before = -1;
                    assertThat(states.restore(back)).as(when).isEqualTo(length);
                    assertReads(states, value, when);
                }
            }
        }
    }

    @Test
    void theStatesBeforeAStepThatMayHaveFailedAreNotUsed() {
        try (RecurrentStates states = of(STATES)) {
            step(states, 7, 0);
            step(states, 9, 3);
            states.bind(inputs, outputs);
            assertThat(states.restore(4)).isZero();
            assertReads(states, 0, "after the beginning of a step");
        }
    }

    @Test
    void oldCopiesGoWhereTheyWouldTakeMoreThanTheyMay() {
        int floats = 5 << 20; // 20 MB, of which three fit
        List<StateTensor> large =
                List.of(new StateTensor("past.scan", "present.scan", Kind.RECURRENT, List.of(1, floats)));
        try (RecurrentStates states = of(large)) {
            for (int length = 1; length <= 5; length++) {
                states.bind(inputs, outputs);
                values(outputs.get("present.scan")).put(0, length);
                states.advance(length - 1);
                states.save(length);
            }
            assertThat(states.restore(3)).isEqualTo(3);
            states.bind(inputs, outputs);
            assertThat(values(inputs.get("past.scan")).get(0)).isEqualTo(3);
            assertThat(states.restore(2)).isZero();
        }
    }
}
