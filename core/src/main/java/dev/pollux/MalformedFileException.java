package dev.pollux;

/** A file is damaged, truncated or hostile; download it again or use another one. <em>Immutable.</em> */
public final class MalformedFileException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public MalformedFileException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public MalformedFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
