package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.testkit.GeneratorContract;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The bundled model through the contract of generators, and what this engine promises beyond it. */
class OnnxGeneratorTest implements GeneratorContract {

    @Override
    public Generator open() {
        return OnnxGenerator.open(model());
    }

    private static Path model() {
        return EmbeddedModel.named("smollm2-135m-instruct").unpack().run();
    }

    private static GenerationOptions upTo(int tokens) {
        return GenerationOptions.builder().maxTokens(tokens).build();
    }

    @Test
    void infoNamesTheModelAndItsContext() {
        try (Generator generator = open()) {
            assertThat(generator.info().name()).containsIgnoringCase("smollm2");
            assertThat(generator.info().contextLength()).isEqualTo(8192);
            assertThat(generator.info().chat()).isTrue();
        }
    }

    @Test
    void textIsTheSameWhateverRanBefore() {
        EngineOptions small = EngineOptions.builder().prefillChunk(16).build();
        Prompt first = Prompt.chat(Message.system("You are terse. ".repeat(20)), Message.user("Name three rivers."));
        Prompt second = Prompt.chat(Message.system("You are terse. ".repeat(20)), Message.user("Name three cities."));
        String alone;
        try (OnnxGenerator generator = OnnxGenerator.open(model(), small)) {
            alone = generator.generate(second, upTo(24)).text();
        }
        try (OnnxGenerator generator = OnnxGenerator.open(model(), small)) {
            generator.generate(first, upTo(24));
            assertThat(generator.generate(second, upTo(24)).text()).isEqualTo(alone);
            assertThat(generator.generate(second, upTo(24)).text()).isEqualTo(alone);
        }
    }

    @Test
    void logitsAreTheSameThroughGrowthOfTheCacheAndAfterRollback() {
        int[] ids = new Random(11).ints(700, 10, 40_000).toArray();
        try (OnnxGenerator generator = OnnxGenerator.open(model());
                DecoderSequence grown = generator.model().sequence();
                DecoderSequence reserved = generator.model().sequence()) {
            reserved.reserve(ids.length + 8);
            float[] once = copy(reserved.append(ids));
            grown.append(java.util.Arrays.copyOf(ids, 256));
            grown.append(1, 2, 3, 4, 5);
            grown.truncate(256);
            float[] pieces = copy(grown.append(java.util.Arrays.copyOfRange(ids, 256, ids.length)));
            assertThat(grown.length()).isEqualTo(ids.length);
            assertThat(pieces).containsExactly(once);
        }
    }

    private static float[] copy(FloatBuffer logits) {
        float[] values = new float[logits.limit()];
        logits.get(0, values);
        return values;
    }

    @Test
    void cancelStopsAPrefillThatIsRunning() throws InterruptedException {
        try (OnnxGenerator generator = OnnxGenerator.open(model());
                GenerationStream stream = generator.stream(Prompt.text("one two three ".repeat(1500)), upTo(64))) {
            CompletableFuture<Generation> running = CompletableFuture.supplyAsync(stream::result);
            Thread.sleep(50);
            stream.cancel();
            assertThat(running.join().finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(running.join().tokens()).isEmpty();
        }
    }

    /** At moments of all kinds: a step that close overtakes between its looks is cancelled too, not refused. */
    @Test
    void closeDuringStreamsEndsThemAllAndLeaksNothing() throws InterruptedException {
        int streams = 12;
        Random moments = new Random(3);
        ExecutorService threads = Executors.newFixedThreadPool(streams);
        for (int round = 0; round < 10; round++) {
            CountDownLatch open = new CountDownLatch(streams);
            OnnxGenerator generator = OnnxGenerator.open(model());
            List<CompletableFuture<FinishReason>> running = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                running.add(CompletableFuture.supplyAsync(
                        () -> {
                            try (GenerationStream stream =
                                    generator.stream(Prompt.text("Once upon a time"), upTo(4000))) {
                                open.countDown();
                                return stream.result().finish();
                            }
                        },
                        threads));
            }
            open.await();
            Thread.sleep(moments.nextInt(200));
            generator.close();
            assertThat(running).allSatisfy(run -> assertThat(run.join()).isEqualTo(FinishReason.CANCELLED));
        }
        threads.shutdown();
    }

    @Test
    void aStepThatCloseOvertakesIsCancelled() {
        OnnxGenerator generator = OnnxGenerator.open(model());
        DecoderModel model = generator.model();
        try (DecoderSequence sequence = model.sequence()) {
            generator.close();
            assertThatThrownBy(() -> sequence.append(1)).isInstanceOf(CancelledException.class);
        }
    }

    @Test
    void cancelAfterTheEndDoesNotReachTheNextStream() {
        try (OnnxGenerator generator = OnnxGenerator.open(model());
                GenerationStream over = generator.stream(Prompt.text("Once upon a time"), upTo(2))) {
            over.result();
            try (GenerationStream next = generator.stream(Prompt.text("Once upon a time"), upTo(8))) {
                over.cancel();
                assertThat(next.result().finish()).isEqualTo(FinishReason.MAX_TOKENS);
            }
        }
    }

    @Test
    void nothingThereIsSaid() {
        assertThatThrownBy(() -> OnnxGenerator.open(Path.of("no-such-model.gguf")))
                .isInstanceOf(StorageException.class)
                .hasMessage("no-such-model.gguf does not exist; give a GGUF file or a Hugging Face folder");
    }
}
