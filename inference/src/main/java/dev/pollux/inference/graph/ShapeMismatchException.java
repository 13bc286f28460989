package dev.pollux.inference.graph;

import dev.pollux.PolluxException;

/** An operator got values whose shapes do not fit. The message names the operator, its result, the shapes and the rule. */
public final class ShapeMismatchException extends PolluxException {

    private static final long serialVersionUID = 1;

    ShapeMismatchException(String message) {
        super(message);
    }
}
