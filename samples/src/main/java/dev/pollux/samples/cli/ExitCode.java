package dev.pollux.samples.cli;

/** The exit codes of {@code pollux}. */
final class ExitCode {

    /** Done; for questions: answered. */
    static final int OK = 0;

    /** Failed; the reason is on standard error. */
    static final int ERROR = 1;

    /** The command line was not understood. */
    static final int USAGE = 2;

    /** The documents do not contain the answer. */
    static final int UNKNOWN = 3;

    /** Done, but records of a source, such as rows, could not be read. */
    static final int INCOMPLETE = 4;

    /** Ctrl-C, as shells have it: 128 + SIGINT. */
    static final int INTERRUPTED = 130;

    /** The reader of standard output is gone, as shells have it: 128 + SIGPIPE. */
    static final int PIPE = 141;

    private ExitCode() {}
}
