package dev.pollux.starter;

import dev.pollux.job.JobContext;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** A job context for two threads that calls the listeners one at a time. <em>Thread-safe.</em> */
final class OneAtATime implements JobContext {

    private final JobContext job;
    private final ReentrantLock reporting = new ReentrantLock();

    OneAtATime(JobContext job) {
        this.job = job;
    }

    @Override
    public void progress(String stage, long done, long total, String unit) {
        exclusively(() -> job.progress(stage, done, total, unit));
    }

    @Override
    public void notice(String message) {
        exclusively(() -> job.notice(message));
    }

    private void exclusively(Runnable report) {
        reporting.lock();
        try {
            report.run();
        } finally {
            reporting.unlock();
        }
    }

    @Override
    public boolean isCancelled() {
        return job.isCancelled();
    }

    @Override
    public <R> R cancellable(Runnable end, Supplier<R> work) {
        return job.cancellable(end, work);
    }
}
