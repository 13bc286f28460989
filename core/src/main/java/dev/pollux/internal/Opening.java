package dev.pollux.internal;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Opens a resource on a thread of its own while the caller continues. The thread ends before {@link #get} returns.
 * <em>Thread-safe.</em>
 *
 * @param <T> type of the resource
 */
public final class Opening<T> implements AutoCloseable {

    private final FutureTask<T> task;
    private final Runnable cancel;
    private final Consumer<? super T> close;

    private Opening(FutureTask<T> task, Runnable cancel, Consumer<? super T> close) {
        this.task = task;
        this.cancel = cancel;
        this.close = close;
    }

    /**
     * Begins to open.
     *
     * @param name of the thread, after {@code pollux-}
     * @param open opens the resource; throws nothing checked
     * @param cancel makes {@code open} fail soon
     * @param close closes the resource
     */
    public static <T> Opening<T> begin(String name, Supplier<T> open, Runnable cancel, Consumer<? super T> close) {
        FutureTask<T> task = new FutureTask<>(open::get);
        Thread thread = new Thread(task, "pollux-" + name);
        thread.setDaemon(true);
        thread.start();
        return new Opening<>(task, cancel, close);
    }

    /** Waits for the resource and returns it; throws what opening it threw. An interrupt is kept for the caller. */
    public T get() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // somebody must close what is opened
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

    private static RuntimeException unchecked(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof RuntimeException runtime ? runtime : new CompletionException(e.getCause());
    }

    /** Cancels the opening if it is still running, waits for it and closes the resource. */
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
        close.accept(opened);
    }
}
