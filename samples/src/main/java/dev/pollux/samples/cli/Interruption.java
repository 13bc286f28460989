package dev.pollux.samples.cli;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** Takes Ctrl-C to what is running at the moment. <em>Thread-safe.</em> */
final class Interruption {

    private final Set<Runnable> running = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean turnEnding = new AtomicBoolean();
    private volatile boolean interrupted;

    /** Does {@code work}, which {@code cancel} ends from another thread; after an interruption it is called at once. */
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

    /** Cancels everything that runs and everything that will. */
    void interrupt() {
        interrupted = true;
        running.forEach(Runnable::run);
    }

    /** Cancels what runs and what the same turn begins after it. False where nothing runs, or its end was asked for before. */
    boolean endTurn() {
        if (running.isEmpty() || !turnEnding.compareAndSet(false, true)) {
            return false;
        }
        running.forEach(Runnable::run);
        return true;
    }

    /** The next turn has not been asked to end. */
    void beginTurn() {
        turnEnding.set(false);
    }

    boolean isInterrupted() {
        return interrupted;
    }

    /** Whether nothing runs that is worth waiting for. */
    boolean isIdle() {
        return running.isEmpty();
    }
}
