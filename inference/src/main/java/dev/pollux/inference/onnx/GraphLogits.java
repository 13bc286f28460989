package dev.pollux.inference.onnx;

import dev.pollux.inference.graph.ElementType;

/**
 * The logits that a graph gives, (1, rows, vocabulary). <em>Immutable.</em>
 *
 * @param name the graph's name for them
 */
public record GraphLogits(String name, ElementType type, Rows rows) {

    /** Which rows a step of S tokens writes. */
    public enum Rows {
        /** Those that an input asks for. */
        CHOSEN,
        /** As many of the last as an input says, at least one. */
        KEPT,
        /** One for each token. */
        ALL,
        /** That of the last token. */
        LAST;

        /** How many. */
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
