package dev.pollux.inference.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.onnx.GraphInput.Role;
import dev.pollux.inference.onnx.GraphInput.Step;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The content of each input for a step. */
class GraphInputTest {

    /** Three tokens of one sequence after five others, logits of the last two. */
    private static final Step ONE = Step.of(new int[] {7, 8, 9}, 5, 2, 64);

    /** A token each of three sequences, the second of which has read nothing. */
    private static final Step SHARED = Step.joint(new int[] {7, 8, 9}, new int[] {4, 0, 6}, new long[] {64, 0, 64});

    /** Two tokens each of two sequences that have read nothing. */
    private static final Step PROMPTS = new Step(new int[] {1, 2, 3, 4}, new int[2], 0, 1, new long[2]);

    @Test
    void tokensArePassedSequenceBySequence() {
        assertThat(values(Role.TOKENS, ONE)).containsExactly(7, 8, 9);
        assertThat(shape(Role.TOKENS, ONE)).containsExactly(1, 3);
        assertThat(values(Role.TOKENS, SHARED)).containsExactly(7, 8, 9);
        assertThat(shape(Role.TOKENS, SHARED)).containsExactly(3, 1);
        assertThat(values(Role.TOKENS, PROMPTS)).containsExactly(1, 2, 3, 4);
        assertThat(shape(Role.TOKENS, PROMPTS)).containsExactly(2, 2);
    }

    @Test
    void positionsFollowThePastOfEachSequence() {
        assertThat(values(Role.POSITIONS, ONE)).containsExactly(5, 6, 7);
        assertThat(values(Role.POSITIONS, SHARED)).containsExactly(4, 0, 6);
        assertThat(values(Role.POSITIONS, PROMPTS)).containsExactly(0, 1, 0, 1);
        assertThat(shape(Role.POSITIONS, PROMPTS)).containsExactly(2, 2);
    }

    @Test
    void lengthsAreEachSequencesOwnAndTheTotalIsTheLargest() {
        assertThat(values(Role.LAST_INDEX, ONE)).containsExactly(7);
        assertThat(values(Role.TOTAL, ONE)).containsExactly(8);
        assertThat(values(Role.LAST_INDEX, SHARED)).containsExactly(4, 0, 6);
        assertThat(shape(Role.LAST_INDEX, SHARED)).containsExactly(3);
        assertThat(values(Role.TOTAL, SHARED)).containsExactly(7);
        assertThat(values(Role.LAST_INDEX, PROMPTS)).containsExactly(1, 1);
    }

    @Test
    void rowsOfLogitsAreTheSameForAllSequences() {
        assertThat(values(Role.LOGITS_INDEX, ONE)).containsExactly(1, 2);
        assertThat(values(Role.LOGITS_KEPT, ONE)).containsExactly(2);
        assertThat(values(Role.LOGITS_INDEX, SHARED)).containsExactly(0);
        assertThat(values(Role.LOGITS_INDEX, PROMPTS)).containsExactly(1);
    }

    @Test
    void rotaryTablesAreChosenForEachSequence() {
        assertThat(values(Role.ROTARY_OFFSET, ONE)).containsExactly(64);
        assertThat(values(Role.ROTARY_OFFSET, SHARED)).containsExactly(64, 0, 64);
        assertThat(shape(Role.ROTARY_OFFSET, SHARED)).containsExactly(3);
    }

    @Test
    void readyMadeGraphsGetAMaskAndAFlag() {
        assertThat(values(Role.MASK, ONE)).containsExactly(1, 1, 1, 1, 1, 1, 1, 1);
        assertThat(shape(Role.MASK, ONE)).containsExactly(1, 8);
        assertThat(values(Role.CACHE_BRANCH, ONE)).containsExactly(1);
        assertThat(values(Role.CACHE_BRANCH, Step.of(new int[] {7}, 0, 1, 0))).containsExactly(0);
    }

    @Test
    void aScalarHasNoDimension() {
        GraphInput total = new GraphInput("total", Role.TOTAL, ElementType.INT32, true);
        assertThat(total.shape(3, total.count(SHARED))).isEmpty();
        assertThat(shape(Role.TOTAL, SHARED)).containsExactly(1);
    }

    private static long[] values(Role role, Step step) {
        GraphInput input = input(role);
        return IntStream.range(0, input.count(step))
                .mapToLong(i -> input.value(step, i))
                .toArray();
    }

    private static long[] shape(Role role, Step step) {
        GraphInput input = input(role);
        return input.shape(step.sequences(), input.count(step));
    }

    private static GraphInput input(Role role) {
        return new GraphInput("input", role, ElementType.INT64, false);
    }
}
