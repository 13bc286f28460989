package dev.pollux.job;

import java.util.concurrent.locks.ReentrantLock;

/** What is done once if its job is cancelled before it is closed. <em>Thread-safe.</em> */
final class CancelAction {

    private final ReentrantLock lock = new ReentrantLock();
    private final Runnable action;
    private boolean over;

    CancelAction(Runnable action) {
        this.action = action;
    }

    /** Does it, unless it was done or closed. */
    void run() {
        lock.lock();
        try {
            if (!over) {
                over = true;
                action.run();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for it if it is being done. */
    void close() {
        lock.lock();
        try {
            over = true;
        } finally {
            lock.unlock();
        }
    }
}
