package dev.pollux;

/** A model, format or feature is well formed but not supported: choose another, or convert it. <em>Immutable.</em> */
public final class UnsupportedModelException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public UnsupportedModelException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
