package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The cache that steps write in place, against lists of rows; the test writes what the runtime would. */
class KeyValueCacheTest {

    private static final int CONTEXT = 1500;
    private static final List<StateTensor> STATES =
            List.of(CacheRows.state("key", 2, 3), CacheRows.state("value", 1, 5));

    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();

    @Test
    void oneTensorIsInputAndOutput() {
        try (KeyValueCache cache = new KeyValueCache(1, STATES, ElementType.FLOAT, CONTEXT)) {
            cache.reserve(1, 0, inputs, outputs);
            for (StateTensor state : STATES) {
                assertThat(inputs.get(state.input())).isNotNull().isSameAs(outputs.get(state.output()));
            }
            assertThat(CacheRows.shape(inputs, STATES.get(0))).containsExactly(1, 2, 256, 3);
        }
    }

    @Test
    void roomGrowsByHalfInStepsOf256UpToTheContext() {
        try (KeyValueCache cache = new KeyValueCache(1, STATES, ElementType.FLOAT, CONTEXT)) {
            int[][] wantedAndRoom = {
                {1, 256}, {256, 256}, {257, 512}, {513, 768}, {769, 1280}, {1281, 1500}, {1500, 1500}
            };
            for (int[] pair : wantedAndRoom) {
                cache.reserve(pair[0], 0, inputs, outputs);
                assertThat(cache.capacity()).as("room for %d", pair[0]).isEqualTo(pair[1]);
            }
        }
    }

    @Test
    void enoughRoomChangesNothing() {
        try (KeyValueCache cache = new KeyValueCache(1, STATES, ElementType.FLOAT, CONTEXT)) {
            cache.reserve(200, 0, inputs, outputs);
            Map<String, OnnxTensor> before = Map.copyOf(inputs);
            cache.reserve(256, 200, inputs, outputs);
            cache.bind(200, 56, inputs, outputs);
            cache.advance();
            assertThat(inputs).isEqualTo(before);
        }
    }

    @Test
    void moreThanATensorCanHoldIsRefused() {
        List<StateTensor> huge = List.of(CacheRows.state("key", 1 << 10, 1 << 10));
        try (KeyValueCache cache = new KeyValueCache(1, huge, ElementType.FLOAT, CONTEXT)) {
            assertThatThrownBy(() -> cache.reserve(513, 0, inputs, outputs))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("past.key would need 3221225472 bytes for 768 positions, more than one tensor can hold"
                            + " (2147483647); use a shorter context");
        }
    }

    /** Rows are appended, taken back and read again through every growth, in 32 and in 16 bits, of one sequence and of more. */
    @Test
    void rowsOutliveGrowthAndGoingBackIsASmallerLength() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (ElementType type : List.of(ElementType.FLOAT, ElementType.FLOAT16)) {
            for (int sequences = 1; sequences <= 3; sequences++) {
                List<StateTensor> states = List.of(CacheRows.batched("key", 2, 3), CacheRows.batched("value", 1, 5));
                // in memory the heads of a sequence follow those of the one before
                CacheRows rows = new CacheRows(
                        List.of(CacheRows.state("key", 2 * sequences, 3), CacheRows.state("value", sequences, 5)),
                        type,
                        random);
                try (KeyValueCache cache = new KeyValueCache(sequences, states, type, CONTEXT)) {
                    appendAndTruncate(cache, rows, random, "seed " + seed + ", sequences " + sequences);
                    assertThat(CacheRows.shape(inputs, states.get(0)))
                            .containsExactly(sequences, 2, cache.capacity(), 3);
                }
            }
        }
    }

    private void appendAndTruncate(KeyValueCache cache, CacheRows rows, Random random, String when) {
        for (int round = 0; round < 60; round++) {
            if (random.nextInt(3) == 0) {
                rows.truncate(random.nextInt(rows.length() + 1));
            }
            int count = 1 + random.nextInt(100);
            if (rows.length() + count > CONTEXT) {
                continue;
            }
            cache.reserve(rows.length() + count, rows.length(), inputs, outputs);
            cache.bind(rows.length(), count, inputs, outputs);
            rows.append(count, cache.capacity(), outputs);
            cache.advance();
            rows.assertHeldBy(inputs, cache.capacity(), when + ", round " + round);
        }
    }
}
