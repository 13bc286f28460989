package dev.pollux.job;

import java.util.function.Consumer;

/**
 * A piece of work that takes longer than a second: exporting, indexing, training, merging, downloading.
 *
 * <p>A job is one-shot. {@link #run()} does the work on the calling thread and returns its result;
 * {@link #cancel()}, from any thread, makes it stop at the next safe point and throw
 * {@link dev.pollux.CancelledException}, leaving published artifacts as they were. An interrupt of the thread that runs it
 * does the same, also one from before; the thread stays interrupted.
 *
 * <pre>{@code
 * IngestReport report = knowledge.ingest(source).onEvent(progressBar).run();
 * }</pre>
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 *
 * @param <R> the result
 */
public interface Job<R> {

    /**
     * Does the work on the calling thread.
     *
     * @throws dev.pollux.CancelledException if {@link #cancel()} was called or the thread interrupted before the end
     * @throws IllegalStateException if this job has been run before
     */
    R run();

    /** Asks the job to stop at its next safe point. Idempotent; before {@link #run()} it makes run fail at once. */
    void cancel();

    /**
     * Adds a listener, called on the thread that runs the job. Call before {@link #run()}.
     *
     * @return this job
     */
    Job<R> onEvent(Consumer<JobEvent> listener);

    /** A job named {@code name} that does {@code work}. */
    static <R> Job<R> of(String name, Work<R> work) {
        return new DefaultJob<>(name, work);
    }

    /** What a job does; implementations call the context at least once a second. */
    @FunctionalInterface
    interface Work<R> {
        /** Does the work, reporting to {@code context} and letting it stop the work. */
        R run(JobContext context);
    }
}
