package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.DeadlineException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Message;
import dev.pollux.inference.sampling.Sampler;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * The consumer's side of a generation. It runs one turn of the {@link GenerationLoop} when the consumer asks for a delta that
 * is not available yet.
 */
final class DecoderStream implements GenerationStream, Iterator<String> {

    private final PromptEncoder prompts;
    private final GenerationLoop loop;
    private final RunningRequest running;
    private final Optional<Drafter> drafter;
    private final ArrayDeque<Delta> pending = new ArrayDeque<>();
    private final List<Message> dropped;
    private boolean closed;

    DecoderStream(
            DecoderModel model,
            PrefixStore.Scope scope,
            PromptEncoder prompts,
            FittedPrompt prompt,
            GenerationLoop.Request request) {
        this.prompts = prompts;
        this.dropped = prompt.dropped();
        Sampler.Vocabulary vocabulary =
                new Sampler.Vocabulary(model.manifest().vocabularySize(), request.endTokens(), prompts::text);
        Sampler sampler = Sampler.of(request.options(), vocabulary);
        TextAssembler text = new TextAssembler(
                prompts.decoder(),
                prompt.encoded().channels(),
                request.options().stop(),
                pending::add);
        try {
            this.drafter = model.drafter(request, sampler, scope);
            this.loop = new GenerationLoop(request, sampler, text, drafter);
            this.running = new RunningRequest(model, scope, loop, request);
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
    public List<Message> dropped() {
        return dropped;
    }

    @Override
    public void cancel() {
        running.cancel();
        drafter.ifPresent(Drafter::interrupt);
    }

    @Override
    public void close() {
        closed = true;
        release();
    }

    private void release() {
        if (running.release()) {
            drafter.ifPresent(Drafter::close);
            prompts.close();
        }
    }

    private void turn() {
        try {
            running.turn();
        } catch (DeadlineException e) {
            loop.cancel();
            release();
            throw e;
        } catch (CancelledException e) {
            if (Thread.currentThread().isInterrupted() && !running.isCancelled()) {
                throw e; // the request is as it was before the step, so the consumer may continue
            }
            loop.cancel();
        }
        if (loop.result().isPresent()) {
            release();
        }
    }
}
