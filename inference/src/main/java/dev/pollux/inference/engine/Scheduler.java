package dev.pollux.inference.engine;

import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.internal.Interrupts;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** Decides how the requests of a model take turns, if they share the model's steps. <em>Thread-safe.</em> */
final class Scheduler implements AutoCloseable {

    /*
     * A request waits for a place (RequestQueue), then reads its prompt, one request at a time in the order of arrival, then writes.
     * All steps take turns: StepAdmission has a fair lock, so a chunk of a prompt and a shared step of those who write alternate. While
     * others write, chunks are short, which bounds their pause.
     *
     * Those who write share steps (SharedTurns), if the graph can batch and they do not draft; else each takes steps of its own in
     * turn. Only requests with the same adapter share steps.
     */

    /** Tokens of a prompt that are read at once while others write: 2 to 5 % slower than 256, and an eighth of the pause. */
    private static final int SHORT_CHUNK = 32;

    /** How often a request that waits looks whether it was cancelled. */
    private static final long LOOK_MILLIS = 20;

    private final DecoderSession session;
    private final StepAdmission admission;
    private final RequestQueue queue;
    private final boolean sharing;
    private final ReentrantLock reading = new ReentrantLock(true);
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<LoadedAdapter, SharedTurns> shared = new HashMap<>();

    Scheduler(DecoderSession session, StepAdmission admission) {
        this.session = session;
        this.admission = admission;
        int places = session.options().sequences();
        this.sharing = places > 1;
        this.queue = new RequestQueue(
                sharing ? places : Integer.MAX_VALUE,
                session.options().queue(),
                session.options().maxBytes().orElse(Long.MAX_VALUE));
    }

    RequestQueue queue() {
        return queue;
    }

    /** Whether requests share steps, so that one prompt is read at a time; else the queue only keeps to a budget of bytes. */
    boolean isSharing() {
        return sharing;
    }

    /**
     * Waits until the request may read its prompt.
     *
     * @param check throws if the request must not wait longer
     */
    void beginReading(Runnable check) {
        try {
            do {
                check.run();
            } while (!reading.tryLock(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        }
    }

    void endReading() {
        reading.unlock();
    }

    /** The turns of requests that write with an adapter; empty if each takes steps of its own. */
    Optional<SharedTurns> turns(LoadedAdapter adapter, boolean even) {
        DecoderGraph graph = session.graph();
        if (!sharing
                || session.options().drafting()
                || !graph.isExport()
                || !graph.manifest().isBatched()
                || graph.manifest().rotarySwitch() > 0
                || !graph.manifest().states(Kind.RECURRENT).isEmpty()) {
            return Optional.empty();
        }
        lock.lock();
        try {
            return Optional.of(shared.computeIfAbsent(
                    adapter,
                    key -> new SharedTurns(
                            new SharedSteps(session, key, session.options().sequences(), even), admission)));
        } finally {
            lock.unlock();
        }
    }

    /** The maximum number of tokens of a prompt's step; without the rule of even rows all steps must be equal. */
    int chunk(boolean even) {
        lock.lock();
        try {
            boolean writing = shared.values().stream().anyMatch(turns -> turns.size() > 0);
            return even && writing ? SHORT_CHUNK : Integer.MAX_VALUE;
        } finally {
            lock.unlock();
        }
    }

    /** Frees the memory of an adapter's turns, after its last step. */
    void remove(LoadedAdapter adapter) {
        lock.lock();
        try {
            SharedTurns turns = shared.remove(adapter);
            if (turns != null) {
                turns.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends all waiting. */
    void refuse() {
        queue.close();
    }

    /** Frees the memory. Must follow the last step. */
    @Override
    public void close() {
        lock.lock();
        try {
            shared.values().forEach(SharedTurns::close);
            shared.clear();
        } finally {
            lock.unlock();
        }
    }
}
