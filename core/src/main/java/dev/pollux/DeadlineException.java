package dev.pollux;

/** The deadline of a request passed before its end, while it waited or while it ran. <em>Immutable.</em> */
public final class DeadlineException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public DeadlineException(String message) {
        super(message);
    }
}
