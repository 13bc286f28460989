package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.embedding.TextRole;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.testkit.Interrupted;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link Future#cancel} with an interrupt, in the middle of native calls. */
@NoLeaks
class InterruptsTest {

    private static final GenerationOptions LONG =
            GenerationOptions.builder().maxTokens(4000).build();

    @TempDir
    Path folder;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch running = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicReference<Throwable> thrown = new AtomicReference<>();
    private volatile boolean kept;

    @AfterEach
    void endThreads() throws InterruptedException {
        threads.shutdown();
        assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    }

    private static Path model() {
        return EmbeddedModel.named("smollm2-135m-instruct").unpack().run();
    }

    /** Begins work, which counts {@link #running} down, and cancels it. */
    private void cancel(Runnable work) throws InterruptedException {
        Future<?> future = threads.submit(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                thrown.set(e);
            } finally {
                kept = Thread.currentThread().isInterrupted();
                ended.countDown();
            }
        });
        running.await();
        Thread.sleep(20); // so that it is inside a native call as a rule; right in any case
        future.cancel(true);
        assertThat(ended.await(1, TimeUnit.MINUTES)).isTrue();
        assertThat(thrown.get()).isInstanceOf(CancelledException.class);
        assertThat(kept).isTrue();
    }

    @Test
    void aGenerationEnds() throws InterruptedException {
        try (OnnxGenerator generator = OnnxGenerator.open(model())) {
            String before = generator.generate(Prompt.text("A heron"), upTo(8)).text();
            cancel(() -> {
                try (GenerationStream stream = generator.stream(Prompt.text("one two three"), LONG)) {
                    stream.forEach(delta -> running.countDown());
                }
            });
            assertThat(generator.generate(Prompt.text("A heron"), upTo(8)).text())
                    .isEqualTo(before);
        }
    }

    private static GenerationOptions upTo(int tokens) {
        return GenerationOptions.builder().maxTokens(tokens).build();
    }

    @Test
    void oneStepOfALongPromptIsCutShortAndTheStreamGoesOn() throws InterruptedException {
        EngineOptions options = EngineOptions.builder().prefillChunk(4096).build();
        Prompt prompt = Prompt.text("one two three ".repeat(1000));
        try (OnnxGenerator generator = OnnxGenerator.open(model(), options)) {
            String whole = generator.generate(prompt, upTo(4)).text();
            AtomicReference<String> after = new AtomicReference<>();
            cancel(() -> {
                try (GenerationStream stream = generator.stream(prompt, upTo(4))) {
                    running.countDown();
                    assertThatThrownBy(stream::result).isInstanceOf(CancelledException.class);
                    assertThat(Thread.interrupted()).isTrue();
                    after.set(stream.result().text());
                    Thread.currentThread().interrupt();
                    throw new CancelledException("as seen");
                }
            });
            assertThat(after.get()).isEqualTo(whole);
        }
    }

    @Test
    void anEmbeddingEnds() throws InterruptedException {
        List<String> texts = Collections.nCopies(20_000, "a heron ").stream()
                .map(text -> text + System.nanoTime())
                .toList();
        try (OnnxEmbedder embedder = OnnxEmbedder.bundled()) {
            cancel(() -> {
                running.countDown();
                embedder.embed(texts, TextRole.PASSAGE);
            });
            assertThat(embedder.embed(texts.subList(0, 2), TextRole.PASSAGE).length)
                    .isEqualTo(2);
        }
    }

    @Test
    void anExportLeavesNothing() {
        try (Checkpoint checkpoint = Checkpoint.open(model())) {
            Path target = folder.resolve("export");
            Interrupted.isRefused(() -> DecoderExport.export(checkpoint, target, ExportOptions.DEFAULTS)
                    .onEvent(event -> Thread.currentThread().interrupt())
                    .run());
            assertThat(folder).isEmptyDirectory();
            assertThat(Files.exists(target)).isFalse();
        }
    }

    @Test
    void aModelIsNotOpenedByAnInterruptedThread() {
        Path model = model();
        Interrupted.isRefused(() -> OnnxGenerator.open(model));
    }
}
