package dev.pollux.merging;

/**
 * Something wrong, or worth knowing, about a plan. <em>Immutable.</em>
 *
 * @param severity whether the merge can run
 * @param message in the form <em>what, value, rule, remedy</em>
 */
public record MergeProblem(Severity severity, String message) {

    /** Whether a merge can run. */
    public enum Severity {
        /** It cannot. */
        FATAL,
        /** It can, and does something that may not be meant. */
        NOTICE
    }

    /** A problem that stops the merge. */
    public static MergeProblem fatal(String message) {
        return new MergeProblem(Severity.FATAL, message);
    }

    /** Something the merge does not stop at. */
    public static MergeProblem notice(String message) {
        return new MergeProblem(Severity.NOTICE, message);
    }

    /** Whether it stops the merge. */
    public boolean isFatal() {
        return severity == Severity.FATAL;
    }
}
