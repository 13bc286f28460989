package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The cache of graphs that copy the past, against lists of rows; the test copies as the runtime would. */
class GrowingCacheTest {

    private static final List<StateTensor> STATES =
            List.of(CacheRows.state("key", 3, 2), CacheRows.state("value", 2, 4));

    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();

    @Test
    void aStepReadsThePastAndWritesItWithWhatIsNew() {
        try (GrowingCache cache = new GrowingCache(STATES, ElementType.FLOAT)) {
            cache.reserve(5, 0, inputs, outputs);
            cache.bind(0, 5, inputs, outputs);
            assertThat(CacheRows.shape(inputs, STATES.get(0))).containsExactly(1, 3, 0, 2);
            assertThat(outputs.get("present.key").getInfo().getShape()).containsExactly(1, 3, 5, 2);
            cache.advance();
            cache.bind(5, 1, inputs, outputs);
            assertThat(CacheRows.shape(inputs, STATES.get(0))).containsExactly(1, 3, 5, 2);
            assertThat(outputs.get("present.key").getInfo().getShape()).containsExactly(1, 3, 6, 2);
        }
    }

    @Test
    void moreThanWasReadIsRefused() {
        try (GrowingCache cache = new GrowingCache(STATES, ElementType.FLOAT)) {
            assertThatThrownBy(() -> cache.bind(1, 1, inputs, outputs))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The cache holds 0 positions, not 1");
        }
    }

    /** Rows are appended and taken back; a step that was bound and failed is bound again. */
    @Test
    void rowsAreHeldWithoutGapsThroughGrowthAndGoingBack() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (ElementType type : List.of(ElementType.FLOAT, ElementType.FLOAT16)) {
            CacheRows rows = new CacheRows(STATES, type, random);
            try (GrowingCache cache = new GrowingCache(STATES, type)) {
                for (int round = 0; round < 60; round++) {
                    if (random.nextInt(3) == 0) {
                        rows.truncate(random.nextInt(rows.length() + 1));
                    }
                    int count = 1 + random.nextInt(100);
                    cache.reserve(rows.length() + count, rows.length(), inputs, outputs);
                    cache.bind(rows.length(), count, inputs, outputs);
                    rows.assertHeldBy(inputs, rows.length(), "seed " + seed + ", round " + round);
                    if (random.nextInt(8) == 0) {
                        continue; // the step failed
                    }
                    rows.append(count, rows.length() + count, outputs);
                    cache.advance();
                }
            }
        }
    }
}
