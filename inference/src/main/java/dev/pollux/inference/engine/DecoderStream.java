package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import dev.pollux.inference.sampling.Sampler;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The consumer's side of a generation. It runs one turn of the {@link GenerationLoop} when the consumer asks for a delta that
 * is not available yet.
 */
final class DecoderStream implements GenerationStream, Iterator<String> {

    private final PromptEncoder prompts;
    private final GenerationLoop loop;
    private final DecoderSequence sequence;
    private final GenerationTurns turns;
    private final int[] prompt;
    private final int room; // number of tokens to reserve in addition to the prompt
    private final ArrayDeque<Delta> pending = new ArrayDeque<>();
    private boolean begun;
    private boolean closed;

    /** A released sequence may already serve another stream. A late cancel must not reach it. */
    private final ReentrantLock releasing = new ReentrantLock();

    private boolean released;

    /** @param channels a parser in the state that follows the prompt */
    DecoderStream(
            DecoderModel model,
            PrefixStore.Scope scope,
            PromptEncoder prompts,
            ChannelParser channels,
            GenerationLoop.Request request) {
        this.prompts = prompts;
        this.prompt = request.prompt();
        this.room = Math.min(request.options().maxTokens(), model.options().prefillChunk());
        Sampler.Vocabulary vocabulary =
                new Sampler.Vocabulary(model.manifest().vocabularySize(), request.endTokens(), prompts::text);
        Sampler sampler = Sampler.of(request.options(), vocabulary);
        TextAssembler text =
                new TextAssembler(prompts.decoder(), channels, request.options().stop(), pending::add);
        try {
            this.sequence = model.acquire(prompt, scope);
            Optional<LookupDrafter> drafter =
                    model.options().drafting() ? Optional.of(new LookupDrafter(sequence.isEven())) : Optional.empty();
            this.loop = new GenerationLoop(request, sampler, text, drafter);
            loop.cached(sequence.length());
            this.turns = new GenerationTurns(loop, sequence);
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
            if (!pending.getFirst().text(Channel.ANSWER).isEmpty()) {
                return true;
            }
            pending.removeFirst();
        }
        return false;
    }

    private boolean hasDelta() {
        while (pending.isEmpty() && loop.result().isEmpty()) {
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
        return pending.removeFirst().text(Channel.ANSWER);
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
        return loop.result().orElseThrow();
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

    private void turn() {
        try {
            if (!begun) {
                begun = true;
                sequence.reserve(prompt.length + room);
            }
            turns.run();
        } catch (CancelledException e) {
            if (Thread.currentThread().isInterrupted() && !sequence.isInterrupted()) {
                throw e; // the sequence is as it was before the step, so the consumer may continue
            }
            loop.cancel();
        }
        if (loop.result().isPresent()) {
            release();
        }
    }
}
