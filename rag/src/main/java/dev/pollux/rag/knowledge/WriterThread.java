package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The thread that writes an index, which no one interrupts.
 *
 * <p>An interrupt closes the channel that a thread reads, writes or locks a file by. Lucene then gives its writer up, and the
 * lock of the index is lost. So each piece of writing, which takes milliseconds or a commit, is done here while the caller
 * waits for it, interrupted or not, and sees the interrupt after it. The thread ends when idle. <em>Thread-safe.</em>
 */
final class WriterThread implements AutoCloseable {

    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor thread =
            new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                Thread made = new Thread(work, "pollux-knowledge");
                made.setDaemon(true);
                return made;
            });

    WriterThread() {
        thread.allowCoreThreadTimeOut(true);
    }

    /** Does {@code work} and waits for its end. */
    <T> T call(Callable<T> work) throws IOException {
        Future<T> result = thread.submit(work);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return result.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            throw rethrown(cause == null ? e : cause);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException rethrown(Throwable cause) throws IOException {
        if (cause instanceof IOException io) {
            throw io;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException known ? known : new IllegalStateException(cause);
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
