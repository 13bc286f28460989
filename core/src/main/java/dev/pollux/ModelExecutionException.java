package dev.pollux;

/** The native runtime refused or failed to run a model: the message carries its words. <em>Immutable.</em> */
public final class ModelExecutionException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public ModelExecutionException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public ModelExecutionException(String message, Throwable cause) {
        super(message, cause);
    }
}
