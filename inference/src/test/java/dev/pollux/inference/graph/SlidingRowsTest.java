package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which positions a sliding window keeps. */
class SlidingRowsTest {

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @Test
    void aStepHasItsWindowAndFitsIntoTheBuffer() {
        for (int round = 0; round < 2000; round++) {
            int window = 1 + random.nextInt(5000);
            SlidingRows rows = SlidingRows.of(window);
            int past = random.nextInt(60_000);
            String what = "seed " + seed + ", window " + window + ", past " + past;
            int first = rows.first(past);
            assertThat(first).as(what).isBetween(0, Math.max(0, past - window + 1));
            assertThat(rows.end(past)).as(what).isGreaterThan(past);
            assertThat(rows.end(past) + 2 - first).as(what).isLessThanOrEqualTo(rows.capacity());
            // no step before the end of this one drops rows
            assertThat(rows.first(rows.end(past) - 1)).as(what).isEqualTo(first);
            assertThat(rows.first(rows.end(past))).as(what).isGreaterThan(first);
            assertThat(rows.suffice(first, past)).as(what).isTrue();
            int back = Math.max(0, past - random.nextInt(65));
            if (first > 0 && rows.first(past - 1) < first) { // rows were dropped just now
                assertThat(rows.suffice(first, back))
                        .as(what + ", back to " + back)
                        .isTrue();
                assertThat(back - window + 1).as(what).isGreaterThanOrEqualTo(first);
                assertThat(rows.suffice(first, past - 65)).as(what).isFalse();
            }
        }
    }

    @Test
    void aCapacityOfNoWindowIsRefused() {
        assertThat(SlidingRows.of(512).capacity()).isEqualTo(1288);
        assertThatThrownBy(() -> new SlidingRows(1280))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("capacity must be a multiple of 256 plus 520, at least 776, but was 1280");
    }
}
