package dev.pollux.inference.engine;

import dev.pollux.internal.Interrupts;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** The sequences of a model: those in use, and idle ones that are kept for what they have read. <em>Thread-safe.</em> */
final class SequencePool implements AutoCloseable {

    /*
     * A prompt often begins as an earlier one did: a chat goes on, a system prompt repeats. A sequence that was given back keeps
     * its tokens and states, and acquire() hands out the idle one that shares the longest beginning with the prompt.
     *
     * What is shared counts in whole prefill chunks only (DecoderSequence.sharedPrefix): those are computed as a new sequence
     * would compute them, bit for bit, so no result depends on what ran before. States depend on the adapter, so nothing is
     * shared across adapters.
     *
     * Invariants, all under one lock:
     *  1. A sequence is live or idle or freed, never two of them.
     *  2. At most EngineOptions.idleSequences are idle. The one that exceeds them is freed.
     *  3. After close() none is idle, no sequence is given out, and each live one is interrupted and freed when it comes back.
     *
     * A store of prefixes apart from sequences takes the place of the list of idle ones: acquire() is where a beginning is
     * found, release() where it is kept.
     */

    private final DecoderSession session;
    private final StepAdmission admission;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<DecoderSequence> idle = new ArrayList<>();
    private final List<DecoderSequence> live = new ArrayList<>();
    private boolean closed;

    SequencePool(DecoderSession session, StepAdmission admission) {
        this.session = session;
        this.admission = admission;
    }

    /**
     * A sequence for {@code prompt}, which may have read its beginning already; it is given back by closing it.
     *
     * @throws IllegalStateException if the pool is closed
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    DecoderSequence acquire(int[] prompt, LoadedAdapter adapter) {
        Interrupts.lock(lock);
        try {
            if (closed) {
                throw new IllegalStateException(
                        "The model " + session.graph().manifest().name() + " is closed; open it again");
            }
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
                best = new DecoderSequence(this, new DecoderStep(session, admission, adapter));
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

    /** Takes a sequence back: kept for the next one, or freed. */
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

    /** Gives out no sequence any more, interrupts those in use and frees the idle ones. Idempotent. */
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
