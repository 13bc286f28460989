package dev.pollux.starter;

import dev.pollux.generation.Generator;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * Opens a model on a separate thread while the caller continues. The caller closes this object, which closes the model.
 * <em>Thread-safe.</em>
 *
 * @param <T> type of the opened model
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

    /** Waits for the opened model and returns it. */
    T get() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // the opener remains responsible for the model
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

    /** Converts the cause; a supplier throws nothing checked. */
    private static RuntimeException unchecked(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof RuntimeException runtime ? runtime : new CompletionException(e.getCause());
    }

    /** Cancels the opener if it is still running, waits for it and closes the model. */
    @Override
    public void close() {
        if (!task.isDone()) {
            cancel.run();
        }
        T opened;
        try {
            opened = get();
        } catch (RuntimeException e) {
            return; // nothing was opened; get() has thrown the cause
        }
        opened.close();
    }
}
