package dev.pollux.inference.graph;

import dev.pollux.PolluxException;

/**
 * Thrown when an operator's input shapes are incompatible. The message names the operator, its result, the shapes and the
 * rule.
 */
public final class ShapeMismatchException extends PolluxException {

    private static final long serialVersionUID = 1;

    ShapeMismatchException(String message) {
        super(message);
    }
}
