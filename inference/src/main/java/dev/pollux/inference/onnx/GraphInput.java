package dev.pollux.inference.onnx;

import dev.pollux.inference.graph.ElementType;

/**
 * An input that every step is given anew; S is the number of its tokens, T that of all tokens after it. <em>Immutable.</em>
 *
 * @param name the graph's name for it
 * @param scalar whether it has no dimension, where one number is due
 */
public record GraphInput(String name, Role role, ElementType type, boolean scalar) {

    /** What is put in. */
    public enum Role {
        /** (1, S): the tokens. */
        TOKENS,
        /** (1, T): ones. */
        MASK,
        /** (1, S): the tokens' places in the sequence. */
        POSITIONS,
        /** T − 1. */
        LAST_INDEX,
        /** T. */
        TOTAL,
        /** (rows): which of the S positions logits are due for. */
        LOGITS_INDEX,
        /** How many of the last positions logits are due for; 0 would mean all. */
        LOGITS_KEPT,
        /** Whether anything has been read before. */
        CACHE_BRANCH,
        /** Where the rotary tables begin that hold for this length. */
        ROTARY_OFFSET
    }

    /** Of one step: the tokens (S), how many were read before, rows of logits that are due, and the rotary offset. */
    public record Step(int[] tokens, int past, int due, long rotaryOffset) {
        int total() {
            return past + tokens.length;
        }
    }

    /** How many numbers it takes. */
    public int count(Step step) {
        return switch (role) {
            case TOKENS, POSITIONS -> step.tokens.length;
            case MASK -> step.total();
            case LOGITS_INDEX -> step.due;
            default -> 1;
        };
    }

    /** The {@code i}-th of them. */
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

    /** The shape of {@code count} numbers. */
    public long[] shape(int count) {
        return switch (role) {
            case TOKENS, MASK, POSITIONS -> new long[] {1, count};
            default -> scalar ? new long[0] : new long[] {count};
        };
    }
}
