package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Usage;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.sampling.StopFilter;
import dev.pollux.inference.tokenizer.TokenDecoder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/** The decode loop: logits, a token, its text; one turn when the reader asks for the next delta. */
final class DecoderStream implements GenerationStream, Iterator<String> {

    /** What is generated: the prompt, how to go on, where a text ends, how long opening took, and with what adapter. */
    record Request(
            PromptEncoder.Encoded encoded,
            GenerationOptions options,
            Set<Integer> endTokens,
            Duration load,
            LoadedAdapter adapter) {

        int[] prompt() {
            return encoded.tokens();
        }
    }

    private final DecoderModel model;
    private final Request request;
    private final DecoderSequence sequence;
    private final Sampler sampler;
    private final PromptEncoder prompts;
    private final TokenDecoder decoder;
    private final ChannelParser channels;
    private final StopFilter stops;

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<Integer> tokens = new ArrayList<>();
    private final long begin = System.nanoTime();
    private Optional<FloatBuffer> logits = Optional.empty(); // (vocabulary), after the last token read
    private final ArrayDeque<Delta> pending = new ArrayDeque<>();
    private Optional<Generation> result = Optional.empty();
    private long firstTokenAt;
    private boolean closed;

    /** A released sequence may serve another stream already: a late cancel must not reach it. */
    private final ReentrantLock releasing = new ReentrantLock();

    private boolean released;

    DecoderStream(DecoderModel model, PromptEncoder prompts, Request request) {
        this.model = model;
        this.prompts = prompts;
        this.request = request;
        this.channels = request.encoded().channels();
        this.stops = StopFilter.of(request.options().stop());
        this.sampler = Sampler.of(request.options(), model.manifest().vocabularySize());
        sampler.observePrompt(request.prompt());
        this.decoder = prompts.decoder();
        try {
            this.sequence = model.acquire(request.prompt(), request.adapter());
        } catch (RuntimeException e) {
            prompts.close();
            throw e;
        }
    }

    @Override
    public Iterator<String> iterator() {
        return this;
    }

    @Override
    public boolean hasNext() {
        while (hasDelta()) {
            if (pending.getFirst().channel() == Channel.ANSWER) {
                return true;
            }
            pending.removeFirst();
        }
        return false;
    }

    private boolean hasDelta() {
        while (pending.isEmpty() && result.isEmpty()) {
            if (closed) {
                throw new IllegalStateException("The stream was closed before its end; start a new one");
            }
            turn();
        }
        return !pending.isEmpty();
    }

    @Override
    public String next() {
        if (!hasNext()) {
            throw new NoSuchElementException("The generation has ended; see result()");
        }
        return pending.removeFirst().text();
    }

    @Override
    public Iterator<Delta> deltas() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return hasDelta();
            }

            @Override
            public Delta next() {
                if (!hasDelta()) {
                    throw new NoSuchElementException("The generation has ended; see result()");
                }
                return pending.removeFirst();
            }
        };
    }

    @Override
    public Generation result() {
        while (hasNext()) {
            next();
        }
        return result.orElseThrow();
    }

    @Override
    public void cancel() {
        releasing.lock();
        try {
            if (!released) {
                sequence.interrupt();
            }
        } finally {
            releasing.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        release();
    }

    private void release() {
        releasing.lock();
        try {
            if (!released) {
                released = true;
                sequence.close();
                prompts.close();
            }
        } finally {
            releasing.unlock();
        }
    }

    /** One turn of the loop: read what has not been read, choose a token, and give out what it completes. */
    private void turn() {
        try {
            FloatBuffer next = logits.isPresent() ? sequence.append(tokens.get(tokens.size() - 1)) : prefill();
            logits = Optional.of(next);
        } catch (CancelledException e) {
            if (Thread.currentThread().isInterrupted() && !sequence.isInterrupted()) {
                throw e; // the sequence is as it was before the step, so that the reader may go on
            }
            finish(FinishReason.CANCELLED);
            return;
        }
        int token = sampler.next(logits.get());
        if (tokens.isEmpty()) {
            firstTokenAt = System.nanoTime();
        }
        tokens.add(token);
        if (request.endTokens().contains(token)) {
            finish(FinishReason.END_OF_TEXT);
            return;
        }
        read(token);
        if (stops.stopped()) {
            finish(FinishReason.STOP_STRING);
        } else if (tokens.size() == request.options().maxTokens()) {
            finish(FinishReason.MAX_TOKENS);
        } else if (sequence.length() == model.manifest().contextLength()) {
            finish(FinishReason.CONTEXT_FULL);
        }
    }

    private FloatBuffer prefill() {
        int[] prompt = request.prompt();
        int room = Math.min(request.options().maxTokens(), model.options().prefillChunk());
        sequence.reserve(prompt.length + room);
        return sequence.append(Arrays.copyOfRange(prompt, sequence.length(), prompt.length));
    }

    private void finish(FinishReason reason) {
        if (!stops.stopped()) {
            emit(channels.push(decoder.flush()));
            emit(channels.end());
            add(Channel.ANSWER, stops.flush());
        }
        long end = System.nanoTime();
        long first = tokens.isEmpty() ? end : firstTokenAt;
        Usage usage = new Usage(
                request.prompt().length,
                tokens.size(),
                request.load(),
                Duration.ofNanos(first - begin),
                Duration.ofNanos(end - first));
        FinishReason honest = reason != FinishReason.CANCELLED && stops.stopped() ? FinishReason.STOP_STRING : reason;
        result = Optional.of(new Generation(text.toString(), reasoning.toString(), tokens, honest, usage));
        release();
    }

    /** Special tokens have no text, so a marker is known by its token. */
    private void read(int token) {
        Optional<ChannelFormat.Marker> marker = channels.marker(token);
        if (marker.isPresent()) {
            emit(channels.push(decoder.flush()));
            emit(channels.push(marker.get()));
        } else {
            emit(channels.push(decoder.next(token)));
        }
    }

    /** Stop strings end the answer; in reasoning they are text. */
    private void emit(List<Delta> deltas) {
        for (Delta delta : deltas) {
            boolean answer = delta.channel() == Channel.ANSWER;
            if (!stops.stopped()) {
                add(delta.channel(), answer ? stops.push(delta.text()) : delta.text());
            }
        }
    }

    private void add(Channel channel, String piece) {
        if (!piece.isEmpty()) {
            (channel == Channel.ANSWER ? text : reasoning).append(piece);
            pending.add(new Delta(channel, piece));
        }
    }
}
