package dev.pollux.inference.onnx;

import dev.pollux.inference.graph.ElementType;

/**
 * The logits output of a graph, (B, rows, vocabulary). <em>Immutable.</em>
 *
 * @param name the name of the output
 * @param type the type of its elements
 * @param rows the rows that a step computes
 */
public record GraphLogits(String name, ElementType type, Rows rows) {

    /** The rows that a step of S tokens a sequence computes, for each sequence. */
    public enum Rows {
        /** The positions selected by an input. */
        CHOSEN,
        /** The last positions; an input sets their number, at least 1. */
        KEPT,
        /** All S positions. */
        ALL,
        /** The last position only. */
        LAST;

        /** The number of rows of a sequence for a step. */
        public int written(int tokens, int due) {
            return switch (this) {
                case CHOSEN -> due;
                case KEPT -> Math.max(1, due);
                case ALL -> tokens;
                case LAST -> 1;
            };
        }
    }
}
