package dev.pollux.samples.cli;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** Forwards Ctrl-C to running work. <em>Thread-safe.</em> */
final class Interruption {

    private final Set<Runnable> running = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean turnEnding = new AtomicBoolean();
    private volatile boolean interrupted;

    /**
     * Runs {@code work}. On Ctrl-C another thread calls {@code cancel} to end it; after an interruption {@code cancel} is
     * called at once.
     */
    <R> R during(Runnable cancel, Supplier<R> work) {
        Runnable registered = () -> cancel.run(); // one of its own, as the same action may run twice
        running.add(registered);
        try {
            if (interrupted || turnEnding.get()) {
                cancel.run();
            }
            return work.get();
        } finally {
            running.remove(registered);
        }
    }

    /** Cancels all running and future work. */
    void interrupt() {
        interrupted = true;
        running.forEach(Runnable::run);
    }

    /**
     * Cancels running work and all later work of the same turn. Returns false if nothing runs or it was already cancelled.
     */
    boolean endTurn() {
        if (running.isEmpty() || !turnEnding.compareAndSet(false, true)) {
            return false;
        }
        running.forEach(Runnable::run);
        return true;
    }

    /** Resets the cancellation for the next turn. */
    void beginTurn() {
        turnEnding.set(false);
    }

    boolean isInterrupted() {
        return interrupted;
    }

    /** Whether no running work needs to be awaited. */
    boolean isIdle() {
        return running.isEmpty();
    }
}
