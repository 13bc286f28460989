package dev.pollux.finetune.internal.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryTest {

    private final Memory memory = new Memory();

    @Test
    void tensorsInUseShareNoBytes() {
        Random random = new Random(5);
        Map<FloatTensor, Float> open = new LinkedHashMap<>();
        for (int i = 0; i < 2000; i++) {
            if (open.size() < 40 && random.nextInt(5) > 1) {
                FloatTensor tensor = memory.take(1 + random.nextInt(60), 1 + random.nextInt(900));
                float[] values = new float[tensor.elements()];
                Arrays.fill(values, i);
                open.put(tensor.set(values), (float) i);
            } else if (!open.isEmpty()) {
                FloatTensor one = List.copyOf(open.keySet()).get(random.nextInt(open.size()));
                float expected = open.remove(one);
                FloatBuffer floats = one.floats();
                assertThat(floats.get(0)).isEqualTo(expected);
                assertThat(floats.get(one.elements() - 1)).isEqualTo(expected);
                one.close();
            }
        }
        open.keySet().forEach(FloatTensor::close);
    }

    @Test
    void rowsOfManyLengthsNeedTheMemoryOfTheLongest() {
        Random random = new Random(6);
        row(500);
        long longest = memory.allocated();
        for (int i = 0; i < 300; i++) {
            row(1 + random.nextInt(500));
        }
        assertThat(memory.allocated()).isLessThanOrEqualTo(longest + longest / 4);
    }

    /** Tensors as a forward and a backward pass over six layers take them. */
    private void row(int tokens) {
        List<FloatTensor> kept = new ArrayList<>();
        for (int layer = 0; layer < 6; layer++) {
            kept.add(memory.take(tokens, 576));
            kept.add(memory.take(tokens, 192));
            memory.take(tokens, 1536).close();
        }
        for (int i = kept.size() - 1; i >= 0; i--) {
            FloatTensor gradient = memory.take(tokens, 1152);
            kept.get(i).close();
            gradient.close();
        }
    }

    @Test
    void smallTensorsLeaveTheRoomOfLargeOnes() {
        int large = 12 << 20; // 48 megabytes
        memory.take(large).close();
        for (int i = 0; i < 50; i++) {
            memory.take(1 << 18); // 1 megabyte each, in use to the end
        }
        long before = memory.allocated();
        memory.take(large).close();
        assertThat(memory.allocated()).isEqualTo(before);
    }

    @Test
    void whatIsHeldIsNotGivenToOthers() {
        FloatTensor held = memory.hold(1000);
        long before = memory.allocated();
        held.close();
        memory.take(1000).close();
        assertThat(memory.allocated()).isGreaterThan(before);
    }
}
