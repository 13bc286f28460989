package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.inference.graph.StateTensor.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The sizes of states. */
class StateTensorTest {

    @Test
    void keysAndValuesHaveRoomForPositionsOfEachSequence() {
        StateTensor state = new StateTensor("past", "present", Kind.KEY_VALUE, List.of(-1, 2, -1, 8));
        assertThat(state.isBatched()).isTrue();
        assertThat(state.shape(3, 256)).containsExactly(3, 2, 256, 8);
    }

    @Test
    void aWindowHasNoMoreRowsThanItKeeps() {
        StateTensor state = new StateTensor("past", "present", Kind.WINDOW, List.of(-1, 2, 776, 8));
        assertThat(state.shape(3, 256)).containsExactly(3, 2, 256, 8);
        assertThat(state.shape(3, 4096)).containsExactly(3, 2, 776, 8);
        assertThat(state.window()).contains(SlidingRows.of(20));
    }

    @Test
    void aStateThatEveryStepReplacesHasNoPositions() {
        StateTensor state = new StateTensor("past", "present", Kind.RECURRENT, List.of(-1, 2, 4, 8));
        assertThat(state.shape(3, 256)).containsExactly(3, 2, 4, 8);
    }

    @Test
    void aGraphOfOneSequenceTakesNoMore() {
        StateTensor state = new StateTensor("past", "present", Kind.KEY_VALUE, List.of(1, 2, -1, 8));
        assertThat(state.isBatched()).isFalse();
        assertThat(state.shape(1, 0)).containsExactly(1, 2, 0, 8);
        assertThatThrownBy(() -> state.shape(2, 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sequences must be 1 for past, which holds one sequence, but was 2");
    }
}
