package dev.pollux.job;

import dev.pollux.CancelledException;

/** What a running {@link Job} tells its listeners and asks about its fate. <em>Thread-safe.</em> */
public interface JobContext {

    /** A context that no one listens to and no one cancels, for running the work of a job as a plain call. */
    JobContext NONE = new JobContext() {
        @Override
        public void progress(String stage, long done, long total, String unit) {}

        @Override
        public void notice(String message) {}

        @Override
        public boolean isCancelled() {
            return false;
        }
    };

    /**
     * Reports work done.
     *
     * @param total units in all, or a negative number when unknown
     */
    void progress(String stage, long done, long total, String unit);

    /** Reports something worth knowing that does not stop the job. */
    void notice(String message);

    /** Whether {@link Job#cancel()} has been called. */
    boolean isCancelled();

    /** Leaves the job if it has been cancelled. */
    default void checkCancelled() {
        if (isCancelled()) {
            throw new CancelledException("The job was cancelled; nothing unfinished was published");
        }
    }

    /**
     * Runs another job as a part of this one: its progress and notices are reported here, and once this job is cancelled it is
     * cancelled at its next event.
     *
     * @param part one that has not been run
     * @return its result
     */
    default <R> R run(Job<R> part) {
        checkCancelled();
        part.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress) {
                progress(progress.stage(), progress.done(), progress.total().orElse(-1), progress.unit());
            } else if (event instanceof JobEvent.Notice notice) {
                notice(notice.message());
            }
            if (isCancelled()) {
                part.cancel();
            }
        });
        return part.run();
    }
}
