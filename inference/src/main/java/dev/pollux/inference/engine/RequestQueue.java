package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.DeadlineException;
import dev.pollux.OverloadedException;
import dev.pollux.internal.Interrupts;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Lets a number of requests run at a time; others wait, by priority and then in the order in which they came. <em>Thread-safe.</em> */
final class RequestQueue implements AutoCloseable {

    /*
     * Invariants, all guarded by one lock:
     *  1. running is at most places, and bytes the sum over those who run, at most budget. A request runs from enter() to leave().
     *  2. waiting contains the tickets of the threads in enter(), by falling priority and then in the order of their arrival; only the
     *     first may run.
     * So no request overtakes another of its priority, and none of the highest one starves while those that run end. A reader that neither reads nor closes its stream
     * keeps its place.
     */

    private final int places;
    private final int most;
    private final long budget;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Ticket> waiting = new ArrayList<>();
    private int running;
    private long bytes;
    private boolean closed;

    /** A request. */
    static final class Ticket {
        private final long bytes;
        private final int priority;
        private boolean cancelled;
        private boolean running;

        /**
         * @param bytes the memory that it needs
         * @param priority as in {@link dev.pollux.generation.GenerationOptions#priority()}
         */
        Ticket(long bytes, int priority) {
            this.bytes = bytes;
            this.priority = priority;
        }
    }

    /**
     * @param places the number of requests that run at a time
     * @param most the number of requests that wait
     * @param budget the bytes of those who run
     */
    RequestQueue(int places, int most, long budget) {
        this.places = places;
        this.most = most;
        this.budget = budget;
    }

    /**
     * Waits until the request may run.
     *
     * @throws OverloadedException if too many requests wait
     * @throws DeadlineException if the deadline passes
     * @throws CancelledException if the ticket is cancelled, the queue is closed, or the thread is interrupted
     */
    void enter(Ticket ticket, Deadline deadline) {
        Interrupts.lock(lock);
        try {
            if (waiting.size() >= most && (!fits(ticket) || !waiting.isEmpty())) {
                throw new OverloadedException(
                        most + " requests wait already, the most that the queue holds; try again later or"
                                + " raise EngineOptions.queue()");
            }
            int place = waiting.size();
            while (place > 0 && waiting.get(place - 1).priority < ticket.priority) {
                place--;
            }
            waiting.add(place, ticket);
            try {
                await(ticket, deadline);
                running++;
                bytes += ticket.bytes;
                ticket.running = true;
            } finally {
                waiting.remove(ticket);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean fits(Ticket ticket) {
        return running < places && ticket.bytes <= budget - bytes;
    }

    private void await(Ticket ticket, Deadline deadline) {
        while (true) {
            if (closed || ticket.cancelled) {
                throw new CancelledException("The request was cancelled while it waited");
            }
            deadline.check("while the request waited for others");
            if (fits(ticket) && waiting.indexOf(ticket) == 0) {
                return;
            }
            try {
                changed.await(deadline.left(), TimeUnit.NANOSECONDS); // the loop tests again in any case
            } catch (InterruptedException e) {
                throw Interrupts.cancelled(e);
            }
        }
    }

    /** The number of requests that wait. */
    int waiting() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the waiting of a request; one that runs is not changed. */
    void cancel(Ticket ticket) {
        lock.lock();
        try {
            ticket.cancelled = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Gives the place to the next one. Idempotent, and without effect for a request that never ran. */
    void leave(Ticket ticket) {
        lock.lock();
        try {
            if (ticket.running) {
                ticket.running = false;
                running--;
                bytes -= ticket.bytes;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends all waiting. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
