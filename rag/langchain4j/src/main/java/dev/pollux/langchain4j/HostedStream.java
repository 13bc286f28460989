package dev.pollux.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.output.TokenUsage;
import dev.pollux.ModelExecutionException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.ToolCall;
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
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One request to a chat model of LangChain4j, pulled by its reader. <em>Confined to one thread except {@link #cancel()}.</em> */
final class HostedStream implements GenerationStream {

    /*
     * The model pushes, the reader pulls: callbacks of the model, on any thread, put events into a queue, which only the
     * reader takes from. The request starts when the reader first asks. All state but the queue, the handle and the
     * cancellation belongs to the reader. cancel() puts an event too, so that a reader that waits wakes up; events of the model
     * that come after it are ignored.
     */

    /** For models that cannot be cancelled. */
    static final PartialResponseContext NO_HANDLE = new PartialResponseContext(new StreamingHandle() {
        @Override
        public void cancel() {
            // The response is complete.
        }

        @Override
        public boolean isCancelled() {
            return false;
        }
    });

    /** A delta; or the complete response; or an error; or none of them, for a cancellation. */
    private record Event(
            @Nullable Delta delta,
            @Nullable ChatResponse response,
            @Nullable Throwable error) {}

    private final HostedGenerator.Model model;
    private final ChatRequest request;
    private final int promptTokens;
    private final Consumer<HostedStream> onEnd;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Queue<Delta> ready = new ArrayDeque<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final Iterator<Delta> deltas = new Deltas();
    private final Iterator<String> answer = new Answer();
    private volatile boolean cancelled;
    private volatile @Nullable StreamingHandle handle;
    private boolean started;
    private boolean closed;
    private long begin;
    private long first; // nanosecond of the first delta; 0 before
    private @Nullable Generation result;

    HostedStream(HostedGenerator.Model model, ChatRequest request, int promptTokens, Consumer<HostedStream> onEnd) {
        this.model = model;
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
        StreamingHandle known = handle;
        if (known != null) {
            known.cancel();
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
            end(FinishReason.CANCELLED, List.of(), null);
            return;
        }
        Interrupts.check();
        if (!started) {
            started = true;
            begin = System.nanoTime();
            model.accept(request, new Handler());
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
        if (event.response() != null) {
            complete(event.response());
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

    private void complete(ChatResponse response) {
        AiMessage message = response.aiMessage();
        if (message.thinking() != null && !message.thinking().isEmpty() && reasoning.isEmpty()) {
            deliver(Delta.of(Channel.REASONING, message.thinking())); // of models that do not stream it
        }
        List<ToolCall> calls =
                message.toolExecutionRequests().stream().map(Tools::call).toList();
        calls.forEach(call -> deliver(new Delta.Call(call)));
        boolean cut = response.finishReason() == dev.langchain4j.model.output.FinishReason.LENGTH;
        end(cut ? FinishReason.MAX_TOKENS : FinishReason.END_OF_TEXT, calls, response.tokenUsage());
    }

    private void end(FinishReason finish, List<ToolCall> calls, @Nullable TokenUsage tokens) {
        long now = System.nanoTime();
        long firstAt = first == 0 ? now : first;
        long from = started ? begin : now;
        result = new Generation(
                text.toString(),
                reasoning.toString(),
                List.of(),
                finish,
                new Usage(
                        count(tokens == null ? null : tokens.inputTokenCount(), promptTokens),
                        0,
                        count(
                                tokens == null ? null : tokens.outputTokenCount(),
                                TokenEstimate.of(text.toString()) + TokenEstimate.of(reasoning.toString())),
                        0,
                        0,
                        Duration.ZERO,
                        Duration.ofNanos(Math.max(0, firstAt - from)),
                        Duration.ofNanos(Math.max(0, now - firstAt))),
                new ArrayList<>(calls));
        onEnd.accept(this);
    }

    private static int count(@Nullable Integer reported, int estimate) {
        return reported == null ? estimate : reported;
    }

    /** What the model calls, on its threads. */
    private final class Handler implements StreamingChatResponseHandler {

        @Override
        public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
            cancellable(context.streamingHandle());
            events.add(new Event(Delta.of(Channel.ANSWER, partial.text()), null, null));
        }

        @Override
        public void onPartialResponse(String partial) {
            if (!partial.isEmpty()) {
                events.add(new Event(Delta.of(Channel.ANSWER, partial), null, null));
            }
        }

        @Override
        public void onPartialThinking(PartialThinking partial, PartialThinkingContext context) {
            cancellable(context.streamingHandle());
            onPartialThinking(partial);
        }

        @Override
        public void onPartialThinking(PartialThinking partial) {
            events.add(new Event(Delta.of(Channel.REASONING, partial.text()), null, null));
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            events.add(new Event(null, response, null));
        }

        @Override
        public void onError(Throwable error) {
            events.add(new Event(null, null, error));
        }

        private void cancellable(StreamingHandle known) {
            handle = known;
            if (cancelled) {
                known.cancel();
            }
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
