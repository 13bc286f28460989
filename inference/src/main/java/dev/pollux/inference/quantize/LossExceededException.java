package dev.pollux.inference.quantize;

import dev.pollux.PolluxException;

/** A quantized model loses more than it may: allow more, or give it more bits. <em>Immutable.</em> */
public final class LossExceededException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public LossExceededException(String message) {
        super(message);
    }
}
