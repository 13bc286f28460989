package dev.pollux.inference.engine;

import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.internal.Interrupts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
     * adapter, so nothing is shared across adapters, nor across tenants of a host.
     *
     * What a released sequence has read is also copied to a PrefixStore, so any number of later sequences can share it. A sequence
     * takes the longer one of the two prefixes.
     *
     * Invariants, all guarded by one lock:
     *  1. A sequence is in exactly one state: live, idle or freed.
     *  2. At most EngineOptions.idleSequences are idle. Beyond that a sequence is freed.
     *  3. After close() no sequence is idle and none is handed out; each live one is interrupted, and freed on release.
     */

    /** The smallest default budget of stored prefixes. */
    private static final long LEAST_PREFIX_BYTES = 64L << 20;

    private final DecoderSession session;
    private final StepAdmission admission;
    private final Optional<Scheduler> scheduler;
    private final EvenRows rows;
    private final Optional<PrefixStore> prefixes;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<DecoderSequence> idle = new ArrayList<>();
    private final List<DecoderSequence> live = new ArrayList<>();
    private boolean closed;

    SequencePool(DecoderSession session, StepAdmission admission, Optional<Scheduler> scheduler) {
        this.session = session;
        this.scheduler = scheduler;
        this.admission = admission;
        this.rows = new EvenRows(session);
        this.prefixes = prefixes(session);
    }

    /** Empty for graphs whose states cannot be taken apart by tokens. */
    private static Optional<PrefixStore> prefixes(DecoderSession session) {
        DecoderGraph graph = session.graph();
        List<StateTensor> states = graph.manifest().caches();
        if (!graph.inPlace()
                || states.isEmpty()
                || graph.manifest().rotarySwitch() > 0
                || !graph.manifest().states(Kind.RECURRENT).isEmpty()) {
            return Optional.empty();
        }
        long block = KeyValueCache.bytes(states, graph.cache(), PrefixStore.BLOCK);
        return Optional.of(new PrefixStore(
                Math.toIntExact(block),
                session.options().prefixBytes().orElseGet(() -> Math.max(LEAST_PREFIX_BYTES, bytes(graph) / 8))));
    }

    /** The size of a graph's files; 0 if they cannot be read, which opening them will report. */
    private static long bytes(DecoderGraph graph) {
        long bytes = 0;
        for (String suffix : List.of("", ".data")) {
            Path file = graph.file().resolveSibling(graph.file().getFileName() + suffix);
            if (Files.isRegularFile(file)) {
                bytes += file.toFile().length();
            }
        }
        return bytes;
    }

    /** The beginnings of texts that were read; empty if the graph does not allow to share them. */
    Optional<PrefixStore> prefixes() {
        return prefixes;
    }

    /**
     * A sequence for {@code prompt}, which may already have read a prefix of it. Closing the sequence returns it to the pool.
     *
     * @throws IllegalStateException if the pool is closed
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    DecoderSequence acquire(int[] prompt, PrefixStore.Scope scope) {
        boolean even = isEven(scope);
        DecoderSequence sequence = take(prompt, scope, even);
        try {
            prefixes.ifPresent(store -> sequence.load(store, prompt));
            return sequence;
        } catch (RuntimeException | Error e) {
            sequence.close();
            throw e;
        }
    }

    /**
     * Whether the rule of even rows holds.
     *
     * @throws IllegalStateException if the pool is closed
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    boolean isEven(PrefixStore.Scope scope) {
        Interrupts.check();
        requireOpen();
        return rows.hold(() -> new DecoderStep(session, admission, scope.adapter()));
    }

    /** The maximum number of tokens of a prompt's step, besides that of the graph and the options. */
    int chunk(boolean even) {
        return scheduler.map(turns -> turns.chunk(even)).orElse(Integer.MAX_VALUE);
    }

    /** Frees what requests with an adapter shared, after its last step. */
    void remove(LoadedAdapter adapter) {
        scheduler.ifPresent(turns -> turns.remove(adapter));
    }

    private DecoderSequence take(int[] prompt, PrefixStore.Scope scope, boolean even) {
        Interrupts.lock(lock);
        try {
            requireOpen();
            DecoderSequence best = null;
            int bestShared = -1;
            for (DecoderSequence candidate : idle) {
                int shared = candidate.sharedPrefix(prompt, scope);
                if (shared > bestShared) {
                    best = candidate;
                    bestShared = shared;
                }
            }
            if (best == null) {
                best = new DecoderSequence(this, new DecoderStep(session, admission, scope.adapter()), scope, even);
            } else {
                idle.remove(best);
                best.reopen(bestShared, scope);
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

    /** Stores the beginning of what a sequence has read, from which it is about to drop rows. */
    void save(DecoderSequence sequence) {
        prefixes.ifPresent(sequence::save);
    }

    /** Takes a sequence back and keeps it for reuse or frees it. */
    void release(DecoderSequence sequence) {
        save(sequence);
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
        prefixes.ifPresent(store -> store.remove(adapter));
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
            prefixes.ifPresent(PrefixStore::clear);
        } finally {
            lock.unlock();
        }
    }
}
