package dev.pollux.inference.engine;

import dev.pollux.internal.Interrupts;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The sequences of a model: those in use, and idle ones that are kept because later prompts may share their prefix.
 * <em>Thread-safe.</em>
 */
final class SequencePool implements AutoCloseable {

    /*
     * Prompts often share a prefix: a chat continues, a system prompt repeats. A released sequence keeps its tokens and states,
     * and acquire() hands out the idle sequence that shares the longest prefix with the prompt.
     *
     * The shared prefix consists of exact tokens (DecoderSequence.sharedPrefix), because only their rows equal, bit for bit,
     * the rows that a new sequence computes. Results are therefore independent of earlier requests. States depend on the
     * adapter, so nothing is shared across adapters.
     *
     * Invariants, all guarded by one lock:
     *  1. A sequence is in exactly one state: live, idle or freed.
     *  2. At most EngineOptions.idleSequences are idle. Beyond that a sequence is freed.
     *  3. After close() no sequence is idle and none is handed out; each live one is interrupted, and freed on release.
     *
     * A prefix store that is independent of sequences can replace the list of idle ones: acquire() looks up a prefix and
     * release() stores it.
     */

    private final DecoderSession session;
    private final StepAdmission admission;
    private final EvenRows rows;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<DecoderSequence> idle = new ArrayList<>();
    private final List<DecoderSequence> live = new ArrayList<>();
    private boolean closed;

    SequencePool(DecoderSession session, StepAdmission admission) {
        this.session = session;
        this.admission = admission;
        this.rows = new EvenRows(session);
    }

    /**
     * A sequence for {@code prompt}, which may already have read a prefix of it. Closing the sequence returns it to the pool.
     *
     * @throws IllegalStateException if the pool is closed
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    DecoderSequence acquire(int[] prompt, LoadedAdapter adapter) {
        Interrupts.check();
        requireOpen();
        boolean even = rows.hold(() -> new DecoderStep(session, admission, adapter));
        Interrupts.lock(lock);
        try {
            requireOpen();
            DecoderSequence best = null;
            int bestShared = -1;
            for (DecoderSequence candidate : idle) {
                int shared = candidate.sharedPrefix(prompt, adapter);
                if (shared > bestShared) {
                    best = candidate;
                    bestShared = shared;
                }
            }
            if (best == null) {
                best = new DecoderSequence(this, new DecoderStep(session, admission, adapter), even);
            } else {
                idle.remove(best);
                best.reopen(bestShared, adapter);
            }
            live.add(best);
            return best;
        } finally {
            lock.unlock();
        }
    }

    private void requireOpen() {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException(
                        "The model " + session.graph().manifest().name() + " is closed; open it again");
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes a sequence back and keeps it for reuse or frees it. */
    void release(DecoderSequence sequence) {
        lock.lock();
        try {
            live.remove(sequence);
            if (closed || idle.size() >= session.options().idleSequences()) {
                sequence.free();
            } else {
                idle.add(sequence);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Interrupts the sequences in use that compute with an adapter. */
    void interrupt(LoadedAdapter adapter) {
        lock.lock();
        try {
            for (DecoderSequence sequence : live) {
                if (sequence.uses(adapter)) {
                    sequence.interrupt();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Stops handing out sequences, interrupts those in use and frees the idle ones. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            live.forEach(DecoderSequence::interrupt);
            idle.forEach(DecoderSequence::free);
            idle.clear();
        } finally {
            lock.unlock();
        }
    }
}
