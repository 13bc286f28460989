package dev.pollux.inference.template;

import dev.pollux.PolluxException;

/**
 * A chat template cannot be parsed, or cannot be rendered with this input: the template, or what is given to it, has to
 * change. <em>Immutable.</em>
 */
public final class TemplateException extends PolluxException {

    private static final long serialVersionUID = 1L;

    private final int line;
    private final int column;
    private final boolean raisedByTemplate;

    private TemplateException(String message, TemplateException cause) {
        super(message, cause);
        this.line = cause.line;
        this.column = cause.column;
        this.raisedByTemplate = cause.raisedByTemplate;
    }

    private TemplateException(String message, Position at, boolean raisedByTemplate) {
        super(message);
        this.line = at.line();
        this.column = at.column();
        this.raisedByTemplate = raisedByTemplate;
    }

    static TemplateException syntax(Position at, String what) {
        return new TemplateException("Chat template " + place(at) + ": " + what, at, false);
    }

    static TemplateException runtime(Position at, Failure failure) {
        String what = String.valueOf(failure.getMessage());
        return failure.raisedByTemplate()
                ? new TemplateException(what, at, true)
                : new TemplateException("Chat template " + place(at) + ": " + what, at, false);
    }

    /** The same, told of a model's template and with advice; this is its cause. */
    public TemplateException of(String model, String advice) {
        return new TemplateException("The chat template of " + model + " fails: " + getMessage() + "; " + advice, this);
    }

    private static String place(Position at) {
        return "line " + at.line() + ", column " + at.column();
    }

    /** The line of the template where it happened, from 1. */
    public int line() {
        return line;
    }

    /** The column in that line where it happened, from 1, in UTF-16 units. */
    public int column() {
        return column;
    }

    /**
     * Whether the template itself refused the input by {@code raise_exception(message)}; the message of what {@link
     * ChatTemplate} throws is then the template's own, unchanged.
     */
    public boolean raisedByTemplate() {
        return raisedByTemplate;
    }
}
