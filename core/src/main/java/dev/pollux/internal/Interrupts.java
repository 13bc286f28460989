package dev.pollux.internal;

import dev.pollux.CancelledException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** The common response to {@link Thread#interrupt}: {@link CancelledException}, with the interrupt status set. */
public final class Interrupts {

    private static final String MESSAGE =
            "The thread was interrupted before the end of the call; nothing unfinished was published";

    /** Maximum length of a chain of causes; protects against cycles. */
    private static final int MAX_CAUSES = 32;

    private Interrupts() {}

    /** Throws if this thread is interrupted, even if it was before the call began. */
    public static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled(null);
        }
    }

    /** Acquires a lock, or throws if this thread is interrupted. */
    public static void lock(Lock lock) {
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            throw cancelled(e);
        }
    }

    /** Creates the exception of an interrupted call and sets the interrupt status. */
    public static CancelledException cancelled(@Nullable Throwable cause) {
        Thread.currentThread().interrupt();
        return cause == null ? new CancelledException(MESSAGE) : new CancelledException(MESSAGE, cause);
    }

    /** Whether an interrupt is why something failed: it ends waiting, and closes the channel that a thread is in. */
    public static boolean isCauseOf(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
            if (cause instanceof InterruptedException
                    || cause instanceof InterruptedIOException
                    || cause instanceof ClosedByInterruptException
                    || cause instanceof FileLockInterruptionException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }
}
