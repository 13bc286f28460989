package dev.pollux.inference.onnx;

import dev.pollux.inference.graph.ElementType;

/**
 * An input that is set for each step. S is the number of the step's tokens, T the total number of tokens after the step.
 * <em>Immutable.</em>
 *
 * @param name the name of the input
 * @param scalar whether it is a scalar (rank 0)
 */
public record GraphInput(String name, Role role, ElementType type, boolean scalar) {

    /** The content of an input. */
    public enum Role {
        /** (1, S): token ids. */
        TOKENS,
        /** (1, T): ones. */
        MASK,
        /** (1, S): positions in the sequence. */
        POSITIONS,
        /** T − 1. */
        LAST_INDEX,
        /** T. */
        TOTAL,
        /** (rows): the positions in [0, S) whose logits are required. */
        LOGITS_INDEX,
        /** The number of last positions whose logits are required; 0 would mean all. */
        LOGITS_KEPT,
        /** Whether the cache holds earlier tokens. */
        CACHE_BRANCH,
        /** The first row of the rotary tables for this length. */
        ROTARY_OFFSET
    }

    /**
     * One step: its tokens (S), the number of earlier tokens, the number of required rows of logits, and the rotary offset.
     */
    public record Step(int[] tokens, int past, int due, long rotaryOffset) {
        int total() {
            return past + tokens.length;
        }
    }

    /** The number of elements for a step. */
    public int count(Step step) {
        return switch (role) {
            case TOKENS, POSITIONS -> step.tokens.length;
            case MASK -> step.total();
            case LOGITS_INDEX -> step.due;
            default -> 1;
        };
    }

    /** The {@code i}-th element for a step. */
    public long value(Step step, int i) {
        return switch (role) {
            case TOKENS -> step.tokens[i];
            case MASK -> 1;
            case POSITIONS -> (long) step.past + i;
            case LAST_INDEX -> step.total() - 1L;
            case TOTAL -> step.total();
            case LOGITS_INDEX -> (long) step.tokens.length - step.due + i;
            case LOGITS_KEPT -> Math.max(1, step.due);
            case CACHE_BRANCH -> step.past > 0 ? 1 : 0;
            case ROTARY_OFFSET -> step.rotaryOffset;
        };
    }

    /** The shape of an input of {@code count} elements. */
    public long[] shape(int count) {
        return switch (role) {
            case TOKENS, MASK, POSITIONS -> new long[] {1, count};
            default -> scalar ? new long[0] : new long[] {count};
        };
    }
}
