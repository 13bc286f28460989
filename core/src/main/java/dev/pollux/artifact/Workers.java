package dev.pollux.artifact;

import dev.pollux.CancelledException;
import dev.pollux.PolluxException;
import dev.pollux.job.JobContext;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one run. If a task fails, the others are asked to stop. Closing waits until all have ended, so that their
 * resources can be closed afterwards.
 */
public final class Workers implements AutoCloseable {

    private static final long POLL_MILLIS = 100;

    private final String name;
    private final JobContext context;
    private final ExecutorService threads;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>(); // the first

    private Workers(String name, int count, JobContext context) {
        this.name = name;
        this.context = context;
        this.threads = Executors.newFixedThreadPool(count, runnable -> {
            Thread thread = new Thread(runnable, "pollux-" + name);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Threads that wait for tasks.
     *
     * @param name name of the work, such as {@code merge}
     */
    public static Workers start(String name, int count, JobContext context) {
        return new Workers(name, count, context);
    }

    /** Runs a task on one of the threads; the task must check {@link #isStopped} often. */
    public <T> Future<T> submit(Callable<T> task) {
        return threads.submit(() -> {
            try {
                return task.call();
            } catch (Exception | Error e) {
                failure.compareAndSet(null, e);
                stopped.set(true);
                throw e;
            }
        });
    }

    /** Whether tasks must end: the run was cancelled, one of them failed, or the threads are being closed. */
    public boolean isStopped() {
        return stopped.get() || context.isCancelled();
    }

    /** The job for code that a task calls: without progress, and cancelled when {@link #isStopped}. */
    public JobContext job() {
        return new JobContext() {
            @Override
            public void progress(String stage, long done, long total, String unit) {}

            @Override
            public void notice(String message) {
                context.notice(message);
            }

            @Override
            public boolean isCancelled() {
                return isStopped();
            }

            @Override
            public <R> R cancellable(Runnable end, Supplier<R> work) {
                return context.cancellable(end, work);
            }
        };
    }

    /**
     * Waits for the result of a task; rethrows the exception of the first failed task.
     *
     * @param meanwhile called every tenth of a second
     * @throws CancelledException if the run is cancelled or the waiting thread interrupted
     */
    public <T> T await(Future<T> task, Runnable meanwhile) {
        while (true) {
            try {
                return task.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                context.checkCancelled();
                meanwhile.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancelledException("The " + name + " was interrupted; nothing was published", e);
            } catch (ExecutionException e) {
                Throwable first = failure.get();
                if (first instanceof PolluxException known) {
                    throw known;
                }
                if (first instanceof Error error) {
                    throw error;
                }
                throw new IllegalStateException("A thread of the " + name + " failed: " + first, first);
            }
        }
    }

    @Override
    public void close() {
        stopped.set(true);
        threads.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (threads.awaitTermination(1, TimeUnit.SECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true; // tasks stop soon; wait until all have ended
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
