package dev.pollux.merging;

/**
 * An error or a notice about a plan. <em>Immutable.</em>
 *
 * @param severity whether the merge can run
 * @param message in the form <em>what, value, rule, remedy</em>
 */
public record MergeProblem(Severity severity, String message) {

    /** Whether a merge can run. */
    public enum Severity {
        /** The merge cannot run. */
        FATAL,
        /** The merge can run, but its result may not be the intended one. */
        NOTICE
    }

    /** Returns a problem that prevents the merge. */
    public static MergeProblem fatal(String message) {
        return new MergeProblem(Severity.FATAL, message);
    }

    /** Returns a problem that does not prevent the merge. */
    public static MergeProblem notice(String message) {
        return new MergeProblem(Severity.NOTICE, message);
    }

    /** Whether the problem prevents the merge. */
    public boolean isFatal() {
        return severity == Severity.FATAL;
    }
}
