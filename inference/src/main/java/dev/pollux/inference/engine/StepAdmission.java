package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when a step of a sequence runs, on which thread, and whether it still may. <em>Thread-safe.</em>
 */
final class StepAdmission {

    /*
     * Every step of every sequence of a model comes through run(), which returns when the step has run. Today a step runs at
     * once on the thread that asks for it, however many others run: sequences share nothing but the weights. A scheduler that
     * lets sequences share a step replaces the body of run() and nothing else, since callers know neither when nor where their
     * step runs.
     *
     * Steps of one Group compute with the same weights, so they are those that may share a run. A group is also what ends as
     * one: an adapter that is unloaded, or, with all groups, the model.
     *
     * Invariants, all under one lock:
     *  1. running is the sum of running over all groups, and no step runs that is not counted.
     *  2. Once a group or the admission is closed, no step of it begins: run() throws instead.
     *  3. close() returns when the count is 0, so that its caller may free the memory that steps read.
     * Closing does not end the steps that run; who closes interrupts them first. A step that is interrupted before it is
     * admitted never begins. One that is interrupted later sees it by itself: DecoderStep looks again after it has published
     * the run that an interrupt terminates.
     *
     * Fairness: no step waits for another, so none can be starved. Closing cannot be starved by callers that come again and
     * again, because none of them is admitted any more.
     */

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private int running;
    private boolean closed;

    /** One run of the decoder graph. */
    interface Step {

        /** The steps that this one may share a run with. */
        Group group();

        /** Whether the step must not begin any more. */
        boolean isInterrupted();

        /** Runs the graph. */
        void execute();
    }

    /** Steps that compute with the same weights. */
    final class Group {
        private int running;
        private boolean closed;

        private Group() {}

        /** Admits no step of this group any more and waits for those that run. Idempotent. */
        void close() {
            lock.lock();
            try {
                closed = true;
                while (running > 0) {
                    ended.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** A new group. */
    Group group() {
        return new Group();
    }

    /**
     * Runs a step; returns when it has run.
     *
     * @throws CancelledException if the step is interrupted, or its group or the admission is closed; it has not begun then
     */
    void run(Step step) {
        Group group = step.group();
        begin(group, step);
        try {
            step.execute();
        } finally {
            end(group);
        }
    }

    private void begin(Group group, Step step) {
        lock.lock();
        try {
            if (closed || group.closed || step.isInterrupted()) {
                throw new CancelledException("The sequence was interrupted; ask the model for another");
            }
            running++;
            group.running++;
        } finally {
            lock.unlock();
        }
    }

    private void end(Group group) {
        lock.lock();
        try {
            running--;
            group.running--;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Admits no step any more and waits for those that run. Idempotent. */
    void close() {
        lock.lock();
        try {
            closed = true;
            while (running > 0) {
                ended.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
