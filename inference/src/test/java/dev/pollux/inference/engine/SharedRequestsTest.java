package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.DeadlineException;
import dev.pollux.OverloadedException;
import dev.pollux.PolluxException;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.TokenLogProbability;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that share steps, on small models of random weights: each gets what it gets alone. */
@NoLeaks
class SharedRequestsTest {

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    private EngineOptions.Builder options(int sequences) {
        return EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .sequences(sequences)
                .idleSequences(sequences);
    }

    private Path llama() {
        return TinyDecoder.llama(1).write(temp.resolve("model"));
    }

    /** A prompt and options. */
    private record Request(Prompt prompt, GenerationOptions options) {}

    private Request request() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            text.append("Some words of prompt ").append(random.nextInt(3)).append(". ");
        }
        GenerationOptions.Builder options =
                GenerationOptions.builder().maxTokens(1 + random.nextInt(30)).logProbabilities(2);
        switch (random.nextInt(3)) {
            case 0 -> options.temperature(0.8).seed(random.nextInt(5));
            case 1 -> options.repetitionPenalty(1.3).stop("a", "the");
            default -> options.noRepeatNgram(3);
        }
        return new Request(Prompt.text(text.toString()), options.build());
    }

    private List<Request> requests(int count) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(request());
        }
        return requests;
    }

    private void same(Generation actual, Generation due) {
        assertThat(actual.tokens()).as("seed %d", seed).isEqualTo(due.tokens());
        assertThat(actual.text()).isEqualTo(due.text());
        assertThat(actual.finish()).isEqualTo(due.finish());
        assertThat(actual.logProbabilities().stream().map(TokenLogProbability::logProbability))
                .as("seed %d: to the last bit", seed)
                .isEqualTo(due.logProbabilities().stream()
                        .map(TokenLogProbability::logProbability)
                        .toList());
    }

    private static <T> List<T> all(int threads, List<Callable<T>> tasks)
            throws InterruptedException, ExecutionException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<T> results = new ArrayList<>();
            for (Future<T> future : pool.invokeAll(tasks)) {
                results.add(future.get());
            }
            return results;
        } finally {
            pool.shutdownNow();
        }
    }

    private void check(Path model, EngineOptions options) throws InterruptedException, ExecutionException {
        try (OnnxGenerator generator = OnnxGenerator.open(model, options)) {
            List<Request> requests = requests(40);
            List<Generation> alone = new ArrayList<>();
            for (Request request : requests) {
                alone.add(generator.generate(request.prompt(), request.options()));
            }
            generator.prefixes().clear();
            List<Callable<Generation>> tasks = new ArrayList<>();
            requests.forEach(request -> tasks.add(() -> generator.generate(request.prompt(), request.options())));
            List<Generation> together = all(9, tasks);
            for (int i = 0; i < requests.size(); i++) {
                same(together.get(i), alone.get(i));
            }
        }
    }

    @Test
    void eachAnswerIsThatOfTheRequestAlone() throws Exception {
        check(llama(), options(4).build());
    }

    @Test
    void soItIsWithWeightsOfEightBits() throws Exception {
        ExportOptions bits = ExportOptions.builder()
                .weights(WeightFormat.BITS_8)
                .blockSize(16)
                .build();
        check(llama(), options(5).export(bits).build());
    }

    @Test
    void requestsWithDraftsTakeTurns() throws Exception {
        check(llama(), options(3).drafting(true).build());
    }

    @Test
    void mixturesOfExpertsShareStepsToo() throws Exception {
        check(
                TinyDecoder.mixtral(1, 4).write(temp.resolve("mixtral")),
                options(3).build());
    }

    @Test
    void requestsWithAdaptersShareStepsWithTheirKind() throws Exception {
        Path adapter = TinyDecoder.llama(1).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
        try (OnnxGenerator generator =
                        OnnxGenerator.open(llama(), options(4).adapters(true).build());
                Generator adapted = generator.adapted(adapter)) {
            List<Callable<Generation>> tasks = new ArrayList<>();
            List<Generation> alone = new ArrayList<>();
            for (Request request : requests(16)) {
                Generator one = random.nextBoolean() ? adapted : generator;
                alone.add(one.generate(request.prompt(), request.options()));
                tasks.add(() -> one.generate(request.prompt(), request.options()));
            }
            List<Generation> together = all(6, tasks);
            for (int i = 0; i < alone.size(); i++) {
                same(together.get(i), alone.get(i));
            }
        }
    }

    /** Cancelled from outside, closed early, too late, interrupted: the others get what they get alone, and nothing hangs. */
    @Test
    void requestsThatEndEarlyDoNotDisturbOthers() throws Exception {
        try (OnnxGenerator generator = OnnxGenerator.open(llama(), options(4).build())) {
            List<Request> requests = requests(400);
            List<Generation> alone = new ArrayList<>();
            for (Request request : requests.subList(0, 40)) {
                alone.add(generator.generate(request.prompt(), request.options()));
            }
            AtomicInteger whole = new AtomicInteger();
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < requests.size(); i++) {
                int number = i % 40;
                int fate = random.nextInt(6);
                int after = random.nextInt(8);
                tasks.add(() -> {
                    Request request = requests.get(number);
                    if (fate > 2) {
                        same(generator.generate(request.prompt(), request.options()), alone.get(number));
                        whole.incrementAndGet();
                    } else {
                        early(generator, request, fate, after);
                    }
                    return null;
                });
            }
            all(16, tasks);
            assertThat(whole.get()).as("seed %d", seed).isPositive();
        }
    }

    private static void early(Generator generator, Request request, int fate, int after) {
        GenerationOptions options = fate == 0
                ? request.options().toBuilder()
                        .deadline(Duration.ofMillis(1 + after))
                        .build()
                : request.options();
        try (GenerationStream stream = generator.stream(request.prompt(), options)) {
            for (int i = 0; i < after && stream.iterator().hasNext(); i++) {
                stream.iterator().next();
            }
            if (fate == 1) {
                stream.cancel();
                assertThat(stream.result().finish()).isNotNull();
            }
        } catch (DeadlineException expected) {
            assertThat(fate).isZero();
        }
    }

    @Test
    void afterTheLastPlaceRequestsWaitAndAfterTheQueueTheyAreRefused() throws Exception {
        GenerationOptions longer = GenerationOptions.builder().maxTokens(100).build();
        try (OnnxGenerator generator =
                        OnnxGenerator.open(llama(), options(2).queue(1).build());
                GenerationStream first = generator.stream(Prompt.text("One"), longer);
                GenerationStream second = generator.stream(Prompt.text("Two"), longer);
                GenerationStream third = generator.stream(Prompt.text("Three"), longer);
                GenerationStream fourth = generator.stream(Prompt.text("Four"), longer)) {
            first.iterator().next();
            second.iterator().next();
            ExecutorService thread = Executors.newSingleThreadExecutor();
            Future<Generation> waiting = thread.submit(third::result);
            while (generator.model().scheduler().orElseThrow().queue().waiting() == 0) {
                Thread.onSpinWait();
            }
            assertThatThrownBy(fourth::result)
                    .isInstanceOf(OverloadedException.class)
                    .hasMessage("1 requests wait already, the most that the queue holds; try again later or raise"
                            + " EngineOptions.queue()");
            first.cancel();
            assertThat(first.result().finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(waiting.get().finish()).isEqualTo(FinishReason.MAX_TOKENS);
            thread.shutdown();
        }
    }

    @Test
    void requestsWaitForMemoryAndThoseThatNeverFitAreRefused() throws Exception {
        GenerationOptions longer = GenerationOptions.builder().maxTokens(60).build();
        Path model = llama();
        long row;
        try (OnnxGenerator generator = OnnxGenerator.open(model, options(1).build())) {
            row = generator.model().bytes(1);
        }
        EngineOptions limited = options(1).maxBytes(100 * row).build();
        try (OnnxGenerator generator = OnnxGenerator.open(model, limited)) {
            Generation alone = generator.generate(Prompt.text("Number"), longer);
            List<Callable<Generation>> tasks = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                tasks.add(() -> generator.generate(Prompt.text("Number"), longer));
            }
            for (Generation one : all(8, tasks)) {
                assertThat(one.tokens()).as("seed %d", seed).isEqualTo(alone.tokens());
            }
            int prompt = generator.countTokens(Prompt.text("Number"));
            GenerationOptions more = longer.toBuilder().maxTokens(100).build();
            assertThatThrownBy(() -> generator.generate(Prompt.text("Number"), more))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("The request needs up to " + (100 + prompt) * row + " bytes for " + (100 + prompt)
                            + " tokens of prompt and answer, but EngineOptions.maxBytes() is " + 100 * row
                            + "; shorten the prompt, ask for fewer tokens or raise it");
        }
    }

    @Test
    void aDeadlineThatPassesSaysWhere() {
        GenerationOptions longer = GenerationOptions.builder().maxTokens(200).build();
        GenerationOptions soon =
                longer.toBuilder().deadline(Duration.ofMillis(5)).build();
        try (OnnxGenerator generator = OnnxGenerator.open(llama(), options(2).build());
                GenerationStream first = generator.stream(Prompt.text("One"), longer);
                GenerationStream second = generator.stream(Prompt.text("Two"), longer);
                GenerationStream late = generator.stream(Prompt.text("Three"), soon)) {
            first.iterator().next();
            second.iterator().next();
            assertThatThrownBy(late::result)
                    .isInstanceOf(DeadlineException.class)
                    .hasMessage(
                            "The deadline of 5 ms passed while the request waited for others; allow more time or fewer"
                                    + " tokens");
            assertThat(late.result().finish()).isEqualTo(FinishReason.CANCELLED);
        }
        GenerationOptions now = longer.toBuilder().deadline(Duration.ofNanos(1)).build();
        try (OnnxGenerator generator = OnnxGenerator.open(
                llama(), EngineOptions.builder().cache(temp).threads(1).build())) {
            assertThatThrownBy(() -> generator.generate(Prompt.text("One"), now))
                    .isInstanceOf(DeadlineException.class)
                    .hasMessage(
                            "The deadline of 0 ms passed while the request was written, after 0 tokens; allow more time"
                                    + " or fewer tokens");
        }
    }

    @Test
    void closingEndsThoseThatWaitToo() throws Exception {
        GenerationOptions longer = GenerationOptions.builder().maxTokens(200).build();
        for (int round = 0; round < 10; round++) {
            OnnxGenerator generator = OnnxGenerator.open(llama(), options(2).build());
            ExecutorService threads = Executors.newFixedThreadPool(6);
            List<Future<Generation>> futures = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Prompt prompt = Prompt.text("Number " + i);
                futures.add(threads.submit(() -> generator.generate(prompt, longer)));
            }
            Thread.sleep(random.nextInt(30));
            generator.close();
            for (Future<Generation> future : futures) {
                try {
                    assertThat(future.get().finish()).isIn(FinishReason.CANCELLED, FinishReason.MAX_TOKENS);
                } catch (ExecutionException e) {
                    assertThat(e.getCause()).isInstanceOfAny(IllegalStateException.class, PolluxException.class);
                }
            }
            threads.shutdown();
        }
    }

    @Test
    void adaptersCanBeClosedWhileOthersWrite() throws IOException {
        Path adapter = TinyDecoder.llama(1).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
        GenerationOptions longer = GenerationOptions.builder().maxTokens(60).build();
        try (OnnxGenerator generator =
                OnnxGenerator.open(llama(), options(4).adapters(true).build())) {
            Generator adapted = generator.adapted(adapter);
            try (GenerationStream mine = adapted.stream(Prompt.text("One"), longer);
                    GenerationStream other = generator.stream(Prompt.text("Two"), longer)) {
                mine.iterator().next();
                other.iterator().next();
                adapted.close();
                assertThat(mine.result().finish()).isEqualTo(FinishReason.CANCELLED);
                assertThat(other.result().finish()).isEqualTo(FinishReason.MAX_TOKENS);
            }
        }
    }
}
