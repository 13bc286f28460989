package dev.pollux.inference.onnx;

import dev.pollux.inference.graph.ElementType;

/**
 * An input that is set for each step. B is the number of sequences in the step, S the number of tokens that each of them reads,
 * and T the length of a sequence after the step. <em>Immutable.</em>
 *
 * @param name the name of the input
 * @param scalar whether it is a scalar (rank 0)
 */
public record GraphInput(String name, Role role, ElementType type, boolean scalar) {

    /** The content of an input. */
    public enum Role {
        /** (B, S): token ids. */
        TOKENS,
        /** (1, T): ones, in graphs that read one sequence. */
        MASK,
        /** (B, S): positions in each sequence. */
        POSITIONS,
        /** (B): T − 1 of each sequence. */
        LAST_INDEX,
        /** The largest T. */
        TOTAL,
        /** (B): T − 1 of each sequence, less the positions that layers with a sliding window have dropped. */
        WINDOW_LAST_INDEX,
        /** The largest T less the dropped positions. */
        WINDOW_TOTAL,
        /** (rows): the positions in [0, S) whose logits are required, of every sequence. */
        LOGITS_INDEX,
        /** The number of last positions whose logits are required; 0 would mean all. */
        LOGITS_KEPT,
        /** Whether the cache holds earlier tokens. */
        CACHE_BRANCH,
        /** (B): the first row of the rotary tables for each sequence's length. */
        ROTARY_OFFSET
    }

    /**
     * One step: S tokens of each of B sequences.
     *
     * @param tokens (B, S), one sequence after the other
     * @param past (B), the number of earlier tokens of each sequence
     * @param filler the number of last positions of every sequence that only fill up the step, in [0, S)
     * @param due the number of positions whose logits are required, of every sequence: the last ones before the filler
     * @param rotaryOffsets (B)
     * @param dropped (B), the number of first positions that layers with a sliding window no longer have
     */
    public record Step(int[] tokens, int[] past, int filler, int due, long[] rotaryOffsets, int[] dropped) {

        /** A step in which no position was dropped. */
        public Step(int[] tokens, int[] past, int filler, int due, long[] rotaryOffsets) {
            this(tokens, past, filler, due, rotaryOffsets, new int[past.length]);
        }

        /** The same step after some positions of each sequence were dropped. */
        public Step without(int... positions) {
            return new Step(tokens, past, filler, due, rotaryOffsets, positions);
        }

        /** A step of one sequence, without a filler. */
        public static Step of(int[] tokens, int past, int due, long rotaryOffset) {
            return new Step(tokens, new int[] {past}, 0, due, new long[] {rotaryOffset});
        }

        /** A step of several sequences, one token each. */
        public static Step joint(int[] tokens, int[] past, long[] rotaryOffsets) {
            return new Step(tokens, past, 0, 1, rotaryOffsets);
        }

        /** B. */
        public int sequences() {
            return past.length;
        }

        /** S. */
        public int count() {
            return tokens.length / past.length;
        }

        private int total(int sequence) {
            return past[sequence] + count();
        }

        private int longest() {
            int longest = 0;
            for (int earlier : past) {
                longest = Math.max(longest, earlier);
            }
            return longest + count();
        }

        private int longestWindow() {
            int longest = 0;
            for (int i = 0; i < past.length; i++) {
                longest = Math.max(longest, total(i) - dropped[i]);
            }
            return longest;
        }
    }

    /** The number of elements for a step. */
    public int count(Step step) {
        return switch (role) {
            case TOKENS, POSITIONS -> step.tokens.length;
            case MASK -> step.longest();
            case LOGITS_INDEX -> step.due;
            case LAST_INDEX, WINDOW_LAST_INDEX, ROTARY_OFFSET -> step.sequences();
            default -> 1;
        };
    }

    /** The {@code i}-th element for a step. */
    public long value(Step step, int i) {
        return switch (role) {
            case TOKENS -> step.tokens[i];
            case MASK -> 1;
            case POSITIONS -> (long) step.past[i / step.count()] + i % step.count();
            case LAST_INDEX -> step.total(i) - 1L;
            case TOTAL -> step.longest();
            case WINDOW_LAST_INDEX -> step.total(i) - 1L - step.dropped[i];
            case WINDOW_TOTAL -> step.longestWindow();
            case LOGITS_INDEX -> (long) step.count() - step.filler - step.due + i;
            case LOGITS_KEPT -> Math.max(1, step.due);
            case CACHE_BRANCH -> step.longest() > step.count() ? 1 : 0;
            case ROTARY_OFFSET -> step.rotaryOffsets[i];
        };
    }

    /** The shape of an input of {@code count} elements for {@code sequences} sequences. */
    public long[] shape(int sequences, int count) {
        return switch (role) {
            case TOKENS, MASK, POSITIONS -> new long[] {sequences, count / sequences};
            default -> scalar ? new long[0] : new long[] {count};
        };
    }
}
