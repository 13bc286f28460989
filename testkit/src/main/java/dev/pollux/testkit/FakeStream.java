package dev.pollux.testkit;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Usage;
import dev.pollux.internal.Interrupts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A stream over a text that is known beforehand. <em>Confined to one thread except {@link #cancel()}.</em> */
final class FakeStream implements GenerationStream, Iterator<String> {

    private final List<String> script;
    private final GenerationOptions options;
    private final int promptTokens;
    private final int room;
    private final Consumer<FakeStream> onEnd;
    private final List<Integer> produced = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder held = new StringBuilder();
    private String next = "";
    private volatile boolean cancelled;
    private boolean closed;
    private @Nullable FinishReason finish;

    /** @param room tokens that the context has left */
    FakeStream(List<String> script, GenerationOptions options, int promptTokens, int room, Consumer<FakeStream> onEnd) {
        this.script = script;
        this.options = options;
        this.promptTokens = promptTokens;
        this.room = room;
        this.onEnd = onEnd;
    }

    @Override
    public Iterator<String> iterator() {
        return this;
    }

    @Override
    public boolean hasNext() {
        while (next.isEmpty() && finish == null) {
            step();
        }
        return !next.isEmpty();
    }

    @Override
    public String next() {
        if (!hasNext()) {
            throw new NoSuchElementException("The stream has ended; ask hasNext() first");
        }
        String delta = next;
        next = "";
        return delta;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }

    @Override
    public Generation result() {
        FinishReason reason = finish;
        while (reason == null) {
            step();
            reason = finish;
        }
        if (closed) {
            throw new IllegalStateException("The stream was closed before its end; ask for the result first");
        }
        Usage usage = new Usage(promptTokens, 0, produced.size(), 0, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);
        return new Generation(text.toString(), produced, reason, usage);
    }

    @Override
    public void close() {
        if (finish == null) {
            closed = true;
            next = "";
            end(FinishReason.CANCELLED);
        }
    }

    private void step() {
        if (!cancelled) {
            Interrupts.check();
        }
        if (cancelled) {
            release(held.length());
            end(FinishReason.CANCELLED);
        } else if (produced.size() == options.maxTokens() || produced.size() == room) {
            release(held.length());
            end(produced.size() == options.maxTokens() ? FinishReason.MAX_TOKENS : FinishReason.CONTEXT_FULL);
        } else if (produced.size() == script.size()) {
            produced.add(FakeGenerator.END);
            release(held.length());
            end(FinishReason.END_OF_TEXT);
        } else {
            say(script.get(produced.size()));
        }
    }

    private void say(String token) {
        produced.add(token.hashCode() & Integer.MAX_VALUE);
        held.append(token);
        int stop = firstStop();
        if (stop >= 0) {
            release(stop);
            end(FinishReason.STOP_STRING);
        } else {
            release(held.length() - possibleStop());
        }
    }

    private int firstStop() {
        return options.stop().stream()
                .mapToInt(held::indexOf)
                .filter(i -> i >= 0)
                .min()
                .orElse(-1);
    }

    /** The length of the longest end of the held text that may begin a stop string. */
    private int possibleStop() {
        int longest = 0;
        for (String stop : options.stop()) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (held.substring(held.length() - n).equals(stop.substring(0, n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }

    private void release(int length) {
        String delta = held.substring(0, length);
        held.delete(0, length);
        text.append(delta);
        next += delta;
    }

    private void end(FinishReason reason) {
        finish = reason;
        onEnd.accept(this);
    }
}
