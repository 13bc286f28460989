package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.OpenHandle;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many callers, interrupts and closing. */
class EmbedderLifecycleTest {

    @TempDir
    private Path folder;

    /** Many distinct texts of 200 tokens, which take far longer than a test waits; says when the last was handed out. */
    private static final class EndlessTexts extends AbstractList<String> {

        private static final int SIZE = 20_000;

        private final CountDownLatch begun = new CountDownLatch(1);

        @Override
        public String get(int index) {
            if (index == SIZE - 1) {
                begun.countDown();
            }
            return "word ".repeat(197) + index;
        }

        @Override
        public int size() {
            return SIZE;
        }
    }

    private static List<OpenHandle> embedders() {
        return OpenHandle.open().stream()
                .filter(handle -> handle.toString().startsWith("OnnxEmbedder")
                        || handle.toString().startsWith("tokenizer"))
                .toList();
    }

    @Test
    void closingEndsARunningCall() throws Exception {
        EndlessTexts texts = new EndlessTexts();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        OnnxEmbedder embedder = OnnxEmbedder.bundled();
        try {
            Future<float[][]> call = threads.submit(() -> embedder.embed(texts, TextRole.PASSAGE));
            texts.begun.await();
            embedder.close();
            assertThatThrownBy(call::get)
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOf(CancelledException.class)
                    .hasMessage("The embedder all-minilm-l6-v2-q was closed before the texts were embedded");
        } finally {
            embedder.close();
            threads.shutdown();
        }
    }

    @Test
    void anInterruptEndsACallAndStays() throws Exception {
        EndlessTexts texts = new EndlessTexts();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (OnnxEmbedder embedder = OnnxEmbedder.bundled()) {
            Future<Boolean> interrupted = threads.submit(() -> {
                assertThatThrownBy(() -> embedder.embed(texts, TextRole.PASSAGE))
                        .isInstanceOf(CancelledException.class)
                        .hasMessage("The thread was interrupted before the texts were embedded");
                return Thread.currentThread().isInterrupted();
            });
            texts.begun.await();
            threads.shutdownNow();
            assertThat(interrupted.get()).isTrue();
            assertThat(embedder.embed(List.of("works again"), TextRole.PASSAGE)).hasNumberOfRows(1);
        }
    }

    @Test
    void useAfterCloseIsAnErrorAndClosingTwiceIsNot() {
        TinyEncoder.in(folder);
        OnnxEmbedder embedder = OnnxEmbedder.open(folder);
        embedder.close();
        embedder.close();
        String message = "The embedder " + folder.getFileName() + " is closed; open it again";
        assertThatThrownBy(() -> embedder.embed(List.of("a"), TextRole.QUERY))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> embedder.countTokens("a"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(message);
        assertThat(embedder.info().dimension()).isEqualTo(2);
    }

    @Test
    void nothingStaysOpen() {
        List<OpenHandle> before = embedders();
        TinyEncoder.in(folder);
        OnnxEmbedder.open(folder).close();
        assertThatThrownBy(() -> OnnxEmbedder.open(
                        folder, EmbedderOptions.builder().output("none").build()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> OnnxEmbedder.open(
                        folder,
                        EmbedderOptions.builder()
                                .longText(LongText.WINDOWED)
                                .maxTokens(2)
                                .build()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(embedders()).isEqualTo(before);
    }

    @Test
    void manyCallersAtOnceGetWhatOneGets() throws Exception {
        TinyEncoder.in(folder);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<List<String>> calls = new ArrayList<>();
        for (int c = 0; c < 64; c++) {
            List<String> texts = new ArrayList<>();
            for (int t = random.nextInt(20); t >= 0; t--) {
                StringBuilder text = new StringBuilder();
                for (int w = random.nextInt(40); w >= 0; w--) {
                    text.append((char) ('a' + random.nextInt(10))).append(' ');
                }
                texts.add(text.toString());
            }
            calls.add(texts);
        }
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (OnnxEmbedder one = OnnxEmbedder.open(
                        folder, EmbedderOptions.builder().workers(1).build());
                OnnxEmbedder many = OnnxEmbedder.open(
                        folder, EmbedderOptions.builder().workers(4).build())) {
            List<Callable<float[][]>> tasks = new ArrayList<>();
            calls.forEach(texts -> tasks.add(() -> many.embed(texts, TextRole.PASSAGE)));
            List<Future<float[][]>> results = threads.invokeAll(tasks);
            for (int c = 0; c < calls.size(); c++) {
                assertThat(results.get(c).get())
                        .as("call %d, seed %d", c, seed)
                        .isDeepEqualTo(one.embed(calls.get(c), TextRole.PASSAGE));
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void oneTooLongTextDoesNotHarmTheNextCall() {
        TinyEncoder.in(folder);
        EmbedderOptions options =
                EmbedderOptions.builder().maxTokens(4).workers(4).build();
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            for (int i = 0; i < 20; i++) {
                assertThatThrownBy(() -> embedder.embed(List.of("a", "b", "c", "a b c d"), TextRole.PASSAGE))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThat(embedder.embed(List.of("a", "b", "c", "d"), TextRole.PASSAGE))
                        .hasNumberOfRows(4);
            }
        }
    }
}
