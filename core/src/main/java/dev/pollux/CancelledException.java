package dev.pollux;

/**
 * A call was cancelled before its end, or its thread interrupted, which it stays; nothing it had begun to write was published.
 * <em>Immutable.</em>
 */
public final class CancelledException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public CancelledException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public CancelledException(String message, Throwable cause) {
        super(message, cause);
    }
}
