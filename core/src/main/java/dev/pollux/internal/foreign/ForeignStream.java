package dev.pollux.internal.foreign;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Usage;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.TokenEstimate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One request to a chat model of another framework, pulled by its reader. <em>Confined to one thread except {@link #cancel()}.</em> */
final class ForeignStream implements GenerationStream {

    /*
     * The model pushes, the reader pulls: callbacks of the model, on any thread, put events into a queue, which only the
     * reader takes from. The request starts when the reader first asks. All state but the queue, the handle and the
     * cancellation belongs to the reader. cancel() puts an event too, so that a reader that waits wakes up; events of the model
     * that come after it are ignored.
     */

    private static final ForeignModel.End NO_END =
            new ForeignModel.End("", List.of(), false, OptionalInt.empty(), OptionalInt.empty());

    /** A delta; or the end; or an error; or none of them, for a cancellation. */
    private record Event(
            @Nullable Delta delta,
            ForeignModel.@Nullable End end,
            @Nullable Throwable error) {}

    private final Consumer<ForeignModel.Receiver> request;
    private final int promptTokens;
    private final Consumer<ForeignStream> onEnd;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Queue<Delta> ready = new ArrayDeque<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final Iterator<Delta> deltas = new Deltas();
    private final Iterator<String> answer = new Answer();
    private volatile boolean cancelled;
    private volatile @Nullable Runnable handle;
    private boolean started;
    private boolean closed;
    private long begin;
    private long first; // nanosecond of the first delta; 0 before
    private @Nullable Generation result;

    /** @param request starts it */
    ForeignStream(Consumer<ForeignModel.Receiver> request, int promptTokens, Consumer<ForeignStream> onEnd) {
        this.request = request;
        this.promptTokens = promptTokens;
        this.onEnd = onEnd;
    }

    @Override
    public Iterator<String> iterator() {
        return answer;
    }

    @Override
    public Iterator<Delta> deltas() {
        return deltas;
    }

    @Override
    public void cancel() {
        cancelled = true;
        events.add(new Event(null, null, null));
        Runnable known = handle;
        if (known != null) {
            known.run();
        }
    }

    @Override
    public Generation result() {
        while (result == null) {
            step();
        }
        return Objects.requireNonNull(result);
    }

    @Override
    public void close() {
        if (result == null && !closed) {
            cancel();
        }
        closed = true;
        onEnd.accept(this);
    }

    /** Waits for the next event. */
    private void step() {
        if (closed) {
            throw new IllegalStateException("The stream was closed before its end; read it to the end first");
        }
        if (cancelled) {
            end(FinishReason.CANCELLED, NO_END);
            return;
        }
        Interrupts.check();
        if (!started) {
            started = true;
            begin = System.nanoTime();
            request.accept(new Events());
        }
        try {
            take(events.take());
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        }
    }

    private void take(Event event) {
        if (event.error() != null) {
            onEnd.accept(this);
            throw event.error() instanceof RuntimeException failure
                    ? failure
                    : new ModelExecutionException("The model failed: " + event.error(), event.error());
        }
        if (event.end() != null) {
            complete(event.end());
        } else if (event.delta() != null) {
            deliver(event.delta());
        }
    }

    private void deliver(Delta delta) {
        first = first == 0 ? System.nanoTime() : first;
        text.append(delta.text(Channel.ANSWER));
        reasoning.append(delta.text(Channel.REASONING));
        ready.add(delta);
    }

    private void complete(ForeignModel.End end) {
        if (!end.reasoning().isEmpty() && reasoning.isEmpty()) {
            deliver(Delta.of(Channel.REASONING, end.reasoning())); // of models that do not stream it
        }
        end.calls().forEach(call -> deliver(new Delta.Call(call)));
        end(end.cut() ? FinishReason.MAX_TOKENS : FinishReason.END_OF_TEXT, end);
    }

    private void end(FinishReason finish, ForeignModel.End end) {
        long now = System.nanoTime();
        long firstAt = first == 0 ? now : first;
        long from = started ? begin : now;
        result = new Generation(
                text.toString(),
                reasoning.toString(),
                List.of(),
                finish,
                new Usage(
                        end.promptTokens().orElse(promptTokens),
                        0,
                        end.completionTokens()
                                .orElseGet(() ->
                                        TokenEstimate.of(text.toString()) + TokenEstimate.of(reasoning.toString())),
                        0,
                        0,
                        Duration.ZERO,
                        Duration.ofNanos(Math.max(0, firstAt - from)),
                        Duration.ofNanos(Math.max(0, now - firstAt))),
                new ArrayList<>(end.calls()));
        onEnd.accept(this);
    }

    /** What the model calls, on its threads. */
    private final class Events implements ForeignModel.Receiver {

        @Override
        public void delta(Delta delta) {
            events.add(new Event(delta, null, null));
        }

        @Override
        public void cancellable(Runnable cancel) {
            handle = cancel;
            if (cancelled) {
                cancel.run();
            }
        }

        @Override
        public void completed(ForeignModel.End end) {
            events.add(new Event(null, end, null));
        }

        @Override
        public void failed(Throwable error) {
            events.add(new Event(null, null, error));
        }
    }

    /** All deltas. */
    private final class Deltas implements Iterator<Delta> {

        @Override
        public boolean hasNext() {
            while (ready.isEmpty() && result == null) {
                step();
            }
            return !ready.isEmpty();
        }

        @Override
        public Delta next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The stream has ended; ask hasNext() first");
            }
            return ready.remove();
        }
    }

    /** The deltas of the answer. */
    private final class Answer implements Iterator<String> {

        @Override
        public boolean hasNext() {
            while (deltas.hasNext()) {
                Delta next = Objects.requireNonNull(ready.peek());
                if (!next.text(Channel.ANSWER).isEmpty()) {
                    return true;
                }
                ready.remove();
            }
            return false;
        }

        @Override
        public String next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The stream has ended; ask hasNext() first");
            }
            return ready.remove().text(Channel.ANSWER);
        }
    }
}
