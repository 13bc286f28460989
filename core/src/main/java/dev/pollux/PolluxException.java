package dev.pollux;

/** The root of everything that Pollux throws on its own account; subclasses say what the caller can do about it. <em>Immutable.</em> */
public class PolluxException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public PolluxException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public PolluxException(String message, Throwable cause) {
        super(message, cause);
    }
}
