package dev.pollux;

/** Too many requests wait already, so this one was refused at once; a later one may succeed. <em>Immutable.</em> */
public final class OverloadedException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public OverloadedException(String message) {
        super(message);
    }
}
