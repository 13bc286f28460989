package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.internal.Interrupts;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Collects the tokens of several readers, each on its own thread, for shared steps. <em>Thread-safe.</em> */
final class SharedTurns implements AutoCloseable {

    /*
     * There is no thread of the engine's own. A reader brings its token and waits; the first reader that finds everybody present
     * becomes the leader: it runs the step for all who wait, on its thread, and wakes them (flat combining: Hendler et al., 2010).
     * Each reader samples its own row, in parallel with the others, and comes back with the next token.
     *
     * A member is in one state:
     *   AWAY      its reader is not expected: it has just joined, or it did not come back in time
     *   EXPECTED  it was in the last step, so its reader is likely to bring the next token soon
     *   WAITING   its token is there
     *   RUNNING   the leader's step reads its token
     *   DONE      the step has ended, and its reader has not taken the row yet
     *
     * Invariants, all guarded by one lock:
     *  1. At most one leader runs, and only it touches the slots.
     *  2. A step begins when no member is EXPECTED, or the patience after the last step is over; those who are missing become AWAY then.
     *     A slow reader therefore delays the others once, not in each step.
     *  3. A reader leaves its WAITING state by a step, or because it is cancelled or its thread interrupted.
     *  4. A step that failed is run again for each member alone; the one that fails again gets the error, the others their rows.
     * The patience only decides who shares a step, and not the bits of a row (SharedSteps).
     */

    /** How long a step waits for readers that are still sampling. */
    private static final long LEAST_PATIENCE = 2_000_000;

    /** How often a waiting reader looks whether it was cancelled. */
    private static final long LOOK_NANOS = 20_000_000;

    private enum State {
        AWAY,
        EXPECTED,
        WAITING,
        RUNNING,
        DONE
    }

    /** A sequence and its reader. */
    static final class Member {
        private final SharedSteps.Slot slot;
        private State state = State.AWAY;
        private int token;
        private @Nullable RuntimeException failure;

        private Member(SharedSteps.Slot slot) {
            this.slot = slot;
        }

        /** The number of tokens read. */
        int length() {
            return slot.length();
        }
    }

    private final SharedSteps steps;
    private final StepAdmission admission;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Member> members = new ArrayList<>();
    private final List<SharedSteps.Slot> left = new ArrayList<>();
    private boolean running;
    private long ended; // when the last step ended
    private long patience = LEAST_PATIENCE;

    SharedTurns(SharedSteps steps, StepAdmission admission) {
        this.steps = steps;
        this.admission = admission;
    }

    /** Adds a sequence that has read its prompt. It must not be used before {@link #leave}. */
    Member join(DecoderSequence sequence) {
        lock.lock();
        try {
            Member member = new Member(steps.slot(sequence));
            members.add(member);
            return member;
        } finally {
            lock.unlock();
        }
    }

    /** The number of members. */
    int size() {
        lock.lock();
        try {
            return members.size();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Reads a token.
     *
     * @return (vocabulary), the logits after it; valid until the member's next step
     * @throws CancelledException if the sequence or the thread is interrupted; the token was not read then
     */
    FloatBuffer step(Member member, int token) {
        Interrupts.lock(lock);
        try {
            member.token = token;
            member.state = State.WAITING;
            while (member.state != State.DONE) { // the last one to come leads, so nobody else need wake
                if (member.state == State.WAITING) {
                    refuse(member);
                }
                if (!running && isReady()) {
                    lead(member);
                } else {
                    await(member);
                }
            }
            member.state = State.EXPECTED;
            if (member.failure != null) {
                RuntimeException failure = member.failure;
                member.failure = null;
                throw failure;
            }
            return member.slot.logits();
        } finally {
            lock.unlock();
        }
    }

    private void refuse(Member member) {
        boolean thread = Thread.currentThread().isInterrupted();
        if (thread || member.slot.isInterrupted()) {
            member.state = State.AWAY;
            changed.signalAll();
            if (thread) {
                throw Interrupts.cancelled(null);
            }
            throw new CancelledException("The sequence was interrupted; ask the model for another");
        }
    }

    private boolean isReady() {
        boolean late = System.nanoTime() - ended > patience;
        for (Member member : members) {
            if (late && member.state == State.EXPECTED) {
                member.state = State.AWAY;
            }
        }
        return late
                || members.stream().noneMatch(member -> member.state == State.EXPECTED || member.state == State.DONE);
    }

    @SuppressWarnings("WaitNotInLoop") // step() calls it in a loop
    private void await(Member member) {
        long wait = running ? LOOK_NANOS : Math.max(1, Math.min(LOOK_NANOS, ended + patience - System.nanoTime() + 1));
        if (member.state == State.RUNNING) {
            changed.awaitUninterruptibly();
            return;
        }
        try {
            changed.await(wait, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // a step that runs meanwhile still gives its row
            if (member.state == State.WAITING) {
                refuse(member);
            }
        }
    }

    /** Runs a step for all who wait. The lock is free meanwhile. */
    private void lead(Member leader) {
        List<Member> due =
                members.stream().filter(member -> member.state == State.WAITING).toList();
        due.forEach(member -> member.state = State.RUNNING);
        List<SharedSteps.Slot> gone = List.copyOf(left);
        running = true;
        lock.unlock();
        @Nullable RuntimeException failure = null;
        long begin = System.nanoTime();
        try {
            failure = run(due, gone);
        } finally {
            lock.lock();
            running = false;
            ended = System.nanoTime();
            patience = Math.max(LEAST_PATIENCE, (ended - begin) / 4);
            for (Member member : due) {
                member.state = failure == null ? State.DONE : State.WAITING;
            }
            changed.signalAll();
        }
        if (failure != null) {
            leader.state = State.AWAY;
            throw failure;
        }
        left.removeAll(gone);
    }

    /**
     * Runs a step. If it fails, each member reads its token in a step of its own, so that only those fail that cannot.
     *
     * @return the reason why the step did not begin; the members then wait for another
     */
    private @Nullable RuntimeException run(List<Member> due, List<SharedSteps.Slot> gone) {
        @Nullable RuntimeException failure = attempt(due, gone);
        for (Member member : due) {
            member.failure = null;
            if (failure != null && !(failure instanceof CancelledException)) {
                member.failure = due.size() == 1 ? failure : attempt(List.of(member), gone);
            }
        }
        return failure instanceof CancelledException ? failure : null;
    }

    private @Nullable RuntimeException attempt(List<Member> due, List<SharedSteps.Slot> gone) {
        try {
            admission.run(steps.step(
                    due.stream().map(member -> member.slot).toList(),
                    due.stream().map(member -> member.token).toList(),
                    gone));
            return null;
        } catch (RuntimeException e) {
            return e;
        } catch (Error e) {
            return new ModelExecutionException("A step of several requests failed: " + e, e);
        }
    }

    /** Removes a member. Idempotent. */
    void leave(Member member) {
        lock.lock();
        try {
            if (members.remove(member)) {
                left.add(member.slot);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Frees the memory. Must follow the last step. */
    @Override
    public void close() {
        steps.close();
    }
}
