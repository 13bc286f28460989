package dev.pollux.inference.template;

/**
 * Something went wrong where the place in the template is not known; {@link ChatTemplate} turns it into a
 * {@link TemplateException}. It carries no stack trace, so it is cheap. <em>Immutable.</em>
 */
final class Failure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final boolean raisedByTemplate;

    private Failure(String message, boolean raisedByTemplate) {
        super(message, null, false, false);
        this.raisedByTemplate = raisedByTemplate;
    }

    boolean raisedByTemplate() {
        return raisedByTemplate;
    }

    static Failure of(String message) {
        return new Failure(message, false);
    }

    /** What the template itself says through {@code raise_exception}. */
    static Failure raised(String message) {
        return new Failure(message, true);
    }

    /** A bound of {@link TemplateLimits} is reached. */
    static Failure limit(String name, long bound, String what) {
        return of(what + " exceeds " + name + " " + bound + "; raise it in TemplateLimits if the template is trusted");
    }
}
