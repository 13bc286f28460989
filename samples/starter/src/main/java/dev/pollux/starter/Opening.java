package dev.pollux.starter;

import dev.pollux.generation.Generator;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * A model that is opened on a thread of its own, while the caller does other things. Whoever begins it closes it, which
 * closes what was opened. <em>Thread-safe.</em>
 *
 * @param <T> what is opened
 */
final class Opening<T extends Generator> implements AutoCloseable {

    private final FutureTask<T> task;
    private final Runnable cancel;

    private Opening(FutureTask<T> task, Runnable cancel) {
        this.task = task;
        this.cancel = cancel;
    }

    /** @param cancel makes {@code open} fail soon */
    static <T extends Generator> Opening<T> begin(String name, Supplier<T> open, Runnable cancel) {
        FutureTask<T> task = new FutureTask<>(open::get);
        Thread thread = new Thread(task, "pollux-" + name);
        thread.setDaemon(true);
        thread.start();
        return new Opening<>(task, cancel);
    }

    /** What was opened, as soon as it is. */
    T get() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // the opener stays responsible for what it opens
                } catch (ExecutionException e) {
                    throw unchecked(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A supplier throws nothing checked. */
    private static RuntimeException unchecked(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof RuntimeException runtime ? runtime : new CompletionException(e.getCause());
    }

    /** Cancels the opener where it is not through, waits for it and closes what it opened. */
    @Override
    public void close() {
        if (!task.isDone()) {
            cancel.run();
        }
        T opened;
        try {
            opened = get();
        } catch (RuntimeException e) {
            return; // nothing was opened; whoever needed it has been told by get()
        }
        opened.close();
    }
}
