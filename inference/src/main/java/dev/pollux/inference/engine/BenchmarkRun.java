package dev.pollux.inference.engine;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.engine.ModelBenchmark.Drafting;
import dev.pollux.inference.engine.ModelBenchmark.Rate;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.internal.Interrupts;
import dev.pollux.job.JobContext;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicLong;

/** Measures an open generator. <em>Not thread-safe: one thread at a time.</em> */
final class BenchmarkRun {

    /*
     * Tokens are random, since the time of a step does not depend on them; drafts are measured with a real text. Every part begins
     * with a step that is not timed, because the first one of a size allocates memory. A rate of single steps is that of the median
     * step, which other work on the machine disturbs least.
     */

    private static final int STEPS = 24;
    private static final int PROMPT = 128;
    private static final int ROUNDS = 3;
    private static final int COPIED = 96;
    private static final String TEXT =
            "The harbour of the old town was built in 1862, after a storm had destroyed the wooden"
                    + " piers. Its two lighthouses stand 240 metres apart, and the northern one still has its first lens. Until 1931,"
                    + " salt and herring left from here for the ports of the south; today the harbour is used by sailing boats and by a"
                    + " ferry that crosses the bay four times a day. The town bought the storehouses in 1974 and turned them into a"
                    + " museum, a library and a school for boat builders.";

    private final OnnxGenerator generator;
    private final DecoderModel model;
    private final DecoderManifest manifest;
    private final JobContext context;
    private final Random random = new Random(1);

    BenchmarkRun(OnnxGenerator generator, JobContext context) {
        this.generator = generator;
        this.model = generator.model();
        this.manifest = model.manifest();
        this.context = context;
    }

    ModelBenchmark measure(long residentBytes) {
        int parts = ModelBenchmark.TOKENS.size() + ModelBenchmark.SEQUENCES.size() + 1;
        int done = 0;
        List<Rate> prefill = new ArrayList<>();
        List<Rate> decode = new ArrayList<>();
        for (int tokens : ModelBenchmark.TOKENS) {
            context.checkCancelled();
            context.progress("measure", done++, parts, "parts");
            if (tokens + STEPS + 2 <= manifest.contextLength()) {
                single(tokens, prefill, decode);
            }
        }
        List<Rate> batch = new ArrayList<>();
        for (int sequences : ModelBenchmark.SEQUENCES) {
            context.checkCancelled();
            context.progress("measure", done++, parts, "parts");
            batch.add(new Rate(sequences, together(sequences)));
        }
        context.progress("measure", done++, parts, "parts");
        Drafting drafting = drafting();
        context.progress("measure", done, parts, "parts");
        return new ModelBenchmark(model.loadTime(), residentBytes, prefill, decode, batch, drafting);
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, manifest.vocabularySize()).toArray();
    }

    private void single(int tokens, List<Rate> prefill, List<Rate> decode) {
        double read = Double.MAX_VALUE;
        int rounds = tokens > 1000 ? 1 : ROUNDS;
        try (DecoderSequence sequence = model.sequence()) {
            sequence.reserve(tokens + STEPS + 2);
            sequence.append(tokens(Math.min(tokens, model.options().prefillChunk())));
            for (int round = 0; round < rounds; round++) {
                sequence.truncate(0);
                long begin = System.nanoTime();
                sequence.append(tokens(tokens));
                read = Math.min(read, (System.nanoTime() - begin) / 1e9);
                context.checkCancelled();
            }
            sequence.append(tokens(1));
            double[] seconds = new double[STEPS];
            for (int i = 0; i < STEPS; i++) {
                int[] token = tokens(1);
                long begin = System.nanoTime();
                sequence.append(token);
                seconds[i] = (System.nanoTime() - begin) / 1e9;
            }
            Arrays.sort(seconds);
            prefill.add(new Rate(tokens, tokens / read));
            decode.add(new Rate(tokens, 1 / seconds[STEPS / 2]));
        }
    }

    /** Tokens per second of some requests that write at the same time, each on its thread, with a greedy sampler. */
    private double together(int sequences) {
        int prompt = Math.max(1, Math.min(PROMPT, manifest.contextLength() - STEPS - 2));
        Phaser start = new Phaser(sequences);
        AtomicLong begin = new AtomicLong();
        ExecutorService threads = Executors.newFixedThreadPool(sequences);
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (int i = 0; i < sequences; i++) {
                int[] ids = tokens(prompt);
                writers.add(threads.submit(() -> write(ids, start, begin)));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
            return sequences * STEPS / ((System.nanoTime() - begin.get()) / 1e9);
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new ModelExecutionException("The measurement failed: " + e.getCause(), e);
        } finally {
            start.forceTermination(); // nobody waits for one who failed
            threads.shutdownNow();
        }
    }

    private Void write(int[] prompt, Phaser start, AtomicLong begin) {
        Sampler sampler = Sampler.of(GenerationOptions.DEFAULTS, manifest.vocabularySize());
        try (DecoderSequence sequence = model.sequence()) {
            sequence.reserve(prompt.length + STEPS + 2);
            int token = sampler.next(sequence.append(prompt));
            Optional<SharedTurns> turns =
                    model.scheduler().flatMap(scheduler -> scheduler.turns(model.none(), sequence.isEven()));
            Optional<SharedTurns.Member> member = turns.map(shared -> shared.join(sequence));
            try {
                for (int i = -1; i < STEPS; i++) {
                    if (i == 0) {
                        start.arriveAndAwaitAdvance();
                        begin.compareAndSet(0, System.nanoTime());
                    }
                    int[] last = {token};
                    FloatBuffer logits =
                            member.isPresent() ? turns.orElseThrow().step(member.get(), token) : sequence.append(last);
                    token = sampler.next(logits);
                }
            } finally {
                member.ifPresent(one -> turns.orElseThrow().leave(one));
            }
        }
        return null;
    }

    /** A text is repeated with and without drafts in turns; the median of the ratios counts. */
    private Drafting drafting() {
        String request = "Repeat this text word for word.\n\n" + TEXT;
        Prompt prompt =
                generator.info().chat() ? Prompt.chat(Message.user(request)) : Prompt.literal(TEXT + "\n\n" + TEXT);
        int[] ids = generator.prompts().encode(prompt).tokens();
        if (ids.length + COPIED + 2 > manifest.contextLength()) {
            return new Drafting(1, 1);
        }
        double[] ratios = new double[ROUNDS];
        Generation drafted = generate(prompt, ids, true);
        for (int round = 0; round < ROUNDS; round++) {
            context.checkCancelled();
            double plain = generate(prompt, ids, false).usage().decode().toNanos();
            drafted = generate(prompt, ids, true);
            ratios[round] = plain / Math.max(1, drafted.usage().decode().toNanos());
        }
        Arrays.sort(ratios);
        int written = drafted.usage().completionTokens();
        return new Drafting((double) written / (written - drafted.usage().acceptedTokens()), ratios[ROUNDS / 2]);
    }

    private Generation generate(Prompt prompt, int[] ids, boolean draft) {
        GenerationOptions options =
                GenerationOptions.builder().maxTokens(COPIED).build();
        PromptEncoder prompts = generator.prompts();
        TextAssembler text =
                new TextAssembler(prompts.decoder(), prompts.encode(prompt).channels(), options.stop(), delta -> {});
        try (DecoderSequence sequence = model.sequence()) {
            GenerationLoop.Request request = new GenerationLoop.Request(
                    ids,
                    options,
                    Set.of(),
                    manifest.contextLength(),
                    model.loadTime()); // no end token: the same length each time
            Optional<Drafter> drafter = draft ? Optional.of(model.lookup(sequence.isEven())) : Optional.empty();
            GenerationLoop loop =
                    new GenerationLoop(request, Sampler.of(options, manifest.vocabularySize()), text, drafter);
            sequence.reserve(ids.length + COPIED);
            GenerationTurns turns = new GenerationTurns(loop, sequence, Optional.empty());
            while (loop.result().isEmpty()) {
                turns.run();
            }
            return loop.result().get();
        } finally {
            prompts.close();
        }
    }
}
