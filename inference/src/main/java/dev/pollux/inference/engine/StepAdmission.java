package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when and on which thread a step of a sequence runs, and whether it may still run. <em>Thread-safe.</em>
 */
final class StepAdmission {

    /*
     * Every step of every sequence of a model passes through run(), which returns after the step. By default a step runs at once
     * on the calling thread, regardless of other steps, because sequences share only the weights. In an engine whose requests share
     * steps (Scheduler), steps take turns in the order in which they ask: a fair lock lets one run at a time.
     *
     * Steps of one Group compute with the same weights, so only they may share a run. A group is also the unit of closing: an
     * adapter that is unloaded, or, with all groups, the model.
     *
     * Invariants, all guarded by one lock:
     *  1. running is the sum of running over all groups, and every running step is counted.
     *  2. After a group or the admission is closed, no step of it begins: run() throws.
     *  3. close() returns when the count is 0, so that its caller may free the memory that steps read.
     * Closing does not end running steps; the caller interrupts them first. A step that is interrupted before admission never
     * begins. A step that is interrupted later detects it itself: DecoderStep tests the flag again after it has published the
     * run that an interrupt terminates.
     *
     * Fairness: no step waits for another, or each for those before it, so none can starve. Repeated callers cannot starve close(), because none of them is
     * admitted any more.
     */

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private final Optional<ReentrantLock> turns;
    private int running;
    private boolean closed;

    /** @param serial whether one step runs at a time */
    StepAdmission(boolean serial) {
        this.turns = serial ? Optional.of(new ReentrantLock(true)) : Optional.empty();
    }

    /** One run of the decoder graph. */
    interface Step {

        /** The group of steps that may share a run with this one. */
        Group group();

        /** Whether the step was interrupted and must not begin. */
        boolean isInterrupted();

        /** Runs the graph. */
        void execute();
    }

    /** A set of steps that compute with the same weights. */
    final class Group {
        private int running;
        private boolean closed;

        private Group() {}

        /** Rejects new steps of this group and waits for the running ones. Idempotent. */
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

    /** Creates a group. */
    Group group() {
        return new Group();
    }

    /**
     * Runs a step and returns after it.
     *
     * @throws CancelledException if the step is interrupted, or its group or the admission is closed; the step has not
     *     begun then
     */
    void run(Step step) {
        if (turns.isEmpty()) {
            admit(step);
            return;
        }
        Interrupts.lock(turns.get());
        try {
            admit(step);
        } finally {
            turns.get().unlock();
        }
    }

    private void admit(Step step) {
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

    /** Rejects new steps and waits for the running ones. Idempotent. */
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
