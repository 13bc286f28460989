package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A request in the engine: its place in the queue, its sequence and its turns. <em>Confined to one thread except {@link #cancel()}.</em> */
final class RunningRequest {

    private final DecoderModel model;
    private final PrefixStore.Scope scope;
    private final GenerationLoop loop;
    private final int[] prompt;
    private final int room; // number of tokens to reserve in addition to the prompt
    private final Deadline deadline;
    private final RequestQueue.Ticket ticket;

    /** A released sequence may already serve another request. A late cancel must not reach it. */
    private final ReentrantLock releasing = new ReentrantLock();

    private @Nullable DecoderSequence sequence; // written under the lock; none before the request has a place
    private @Nullable GenerationTurns turns;
    private boolean reserved;
    private boolean cancelled;
    private boolean released;

    /** In an engine whose requests do not share steps, the request has its sequence at once. */
    RunningRequest(DecoderModel model, PrefixStore.Scope scope, GenerationLoop loop, GenerationLoop.Request request) {
        this.model = model;
        this.scope = scope;
        this.loop = loop;
        this.prompt = request.prompt();
        this.room = Math.min(request.options().maxTokens(), model.options().prefillChunk());
        this.ticket =
                new RequestQueue.Ticket(bytes(model, request), request.options().priority());
        this.deadline = new Deadline(request.options().deadline());
        if (model.scheduler().isEmpty()) {
            begin(Optional.empty());
        }
    }

    /**
     * Lets the loop choose a token. The first call waits for a place, and reads the prompt.
     *
     * @throws CancelledException if the request is cancelled or the thread interrupted; in the latter case, it may be called again
     * @throws dev.pollux.DeadlineException if the deadline has passed
     * @throws dev.pollux.OverloadedException if too many requests wait
     */
    void turn() {
        if (turns == null) {
            Scheduler scheduler = model.scheduler().orElseThrow();
            scheduler.queue().enter(ticket, deadline);
            try {
                begin(scheduler.turns(scope.adapter(), model.isEven(scope)));
            } catch (RuntimeException | Error e) {
                scheduler.queue().leave(ticket);
                throw e;
            }
        }
        check();
        if (loop.isWriting()
                || model.scheduler().isEmpty()
                || !model.scheduler().get().isSharing()) {
            run();
            return;
        }
        Scheduler scheduler = model.scheduler().get();
        scheduler.beginReading(this::check);
        try {
            run();
        } finally {
            scheduler.endReading();
        }
    }

    /** The bytes that a request may need. */
    private static long bytes(DecoderModel model, GenerationLoop.Request request) {
        long tokens = Math.min(
                request.contextLength(),
                request.prompt().length + (long) request.options().maxTokens());
        long bytes = model.bytes((int) tokens);
        long budget = model.options().maxBytes().orElse(Long.MAX_VALUE);
        if (bytes > budget) {
            throw new IllegalArgumentException("The request needs up to " + bytes + " bytes for " + tokens
                    + " tokens of prompt and answer, but EngineOptions.maxBytes() is " + budget
                    + "; shorten the prompt, ask for fewer tokens or raise it");
        }
        return bytes;
    }

    private void check() {
        deadline.check("while the request was written, after " + loop.written() + " tokens");
        if (isCancelled()) {
            throw new CancelledException("The request was cancelled");
        }
    }

    private void run() {
        if (!reserved) {
            reserved = true;
            sequence().reserve(prompt.length + room);
        }
        if (turns != null) {
            turns.run();
        }
    }

    private DecoderSequence sequence() {
        if (sequence == null) {
            throw new IllegalStateException("The request has no sequence yet");
        }
        return sequence;
    }

    private void begin(Optional<SharedTurns> shared) {
        DecoderSequence acquired = model.acquire(prompt, scope);
        loop.cached(acquired.length());
        releasing.lock();
        try {
            sequence = acquired;
            turns = new GenerationTurns(loop, acquired, shared);
            if (cancelled) {
                acquired.interrupt();
            }
        } finally {
            releasing.unlock();
        }
    }

    /** Ends the running turn and later ones with {@link CancelledException}. May be called from any thread. */
    void cancel() {
        releasing.lock();
        try {
            cancelled = true;
            if (sequence != null && !released) {
                sequence.interrupt();
            }
        } finally {
            releasing.unlock();
        }
        model.scheduler().ifPresent(scheduler -> scheduler.queue().cancel(ticket));
    }

    /** Whether it was cancelled, or its model or adapter closed. */
    boolean isCancelled() {
        releasing.lock();
        try {
            return cancelled || sequence != null && !released && sequence.isInterrupted();
        } finally {
            releasing.unlock();
        }
    }

    /** Frees the sequence and the place. False if that was done before. */
    boolean release() {
        releasing.lock();
        try {
            if (released) {
                return false;
            }
            released = true;
            if (turns != null) {
                turns.close();
            }
            if (sequence != null) {
                sequence.close();
            }
        } finally {
            releasing.unlock();
        }
        model.scheduler().ifPresent(scheduler -> scheduler.queue().leave(ticket));
        return true;
    }
}
