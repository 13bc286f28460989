package dev.pollux.job;

import dev.pollux.CancelledException;
import java.util.function.Supplier;

/** What a running {@link Job} tells its listeners and asks about its fate. <em>Thread-safe.</em> */
public interface JobContext {

    /** A context that no one listens to, for running the work of a job as a plain call; only an interrupt cancels it. */
    JobContext NONE = new JobContext() {
        @Override
        public void progress(String stage, long done, long total, String unit) {}

        @Override
        public void notice(String message) {}

        @Override
        public boolean isCancelled() {
            return Thread.currentThread().isInterrupted();
        }

        @Override
        public <R> R cancellable(Runnable end, Supplier<R> work) {
            return work.get();
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

    /** Whether {@link Job#cancel()} has been called, or the thread that runs the job is interrupted. */
    boolean isCancelled();

    /**
     * Does work that does not ask whether it is cancelled, such as a call of native code.
     *
     * @param end makes the work end soon; run at most once, while it is done or just before: on the thread that cancels the job,
     *     or on this one if it has been cancelled
     * @return what the work returns
     */
    <R> R cancellable(Runnable end, Supplier<R> work);

    /** Leaves the job if it has been cancelled. */
    default void checkCancelled() {
        if (isCancelled()) {
            throw new CancelledException("The job was cancelled; nothing unfinished was published");
        }
    }

    /**
     * Runs another job as a part of this one: its progress and notices are reported here, and cancelling this job cancels it.
     *
     * @param part one that has not been run
     * @return its result
     */
    default <R> R run(Job<R> part) {
        part.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress) {
                progress(progress.stage(), progress.done(), progress.total().orElse(-1), progress.unit());
            } else if (event instanceof JobEvent.Notice notice) {
                notice(notice.message());
            }
        });
        return cancellable(part::cancel, part::run);
    }

    /** The same job for work whose progress is reported otherwise. */
    default JobContext withoutProgress() {
        JobContext whole = this;
        return new JobContext() {
            @Override
            public void progress(String stage, long done, long total, String unit) {}

            @Override
            public void notice(String message) {
                whole.notice(message);
            }

            @Override
            public boolean isCancelled() {
                return whole.isCancelled();
            }

            @Override
            public <R> R cancellable(Runnable end, Supplier<R> work) {
                return whole.cancellable(end, work);
            }
        };
    }
}
