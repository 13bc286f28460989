package dev.pollux.inference.issues;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.engine.Shutdown;
import dev.pollux.inference.hub.EmbeddedModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM that ended while models ran crashed in the native library, or lost the answers that it was writing. */
class JvmExitTest {

    private static final int TERMINATED = 128 + 15;

    @TempDir
    Path folder;

    /** Generates on three threads until it is ended from outside, or ends itself. */
    static final class Busy {

        private Busy() {}

        public static void main(String[] args) throws InterruptedException {
            Shutdown.grace(Duration.ZERO);
            OnnxGenerator generator = OnnxGenerator.open(
                    EmbeddedModel.named("smollm2-135m-instruct").unpack().run());
            GenerationOptions options =
                    GenerationOptions.builder().maxTokens(4000).build();
            for (int i = 0; i < 3; i++) {
                Thread thread =
                        new Thread(() -> generator.generate(Prompt.text("one two three ".repeat(400)), options));
                thread.setDaemon(true);
                thread.start();
            }
            Thread.sleep(200);
            System.out.println("running");
            if (args[0].equals("exit")) {
                System.exit(3);
            }
            Thread.sleep(60_000);
        }
    }

    /** Says how a generation ends while it is ended from outside. */
    static final class Answering {

        private static final int TOKENS = 60;

        private Answering() {}

        public static void main(String[] args) {
            if (args[0].equals("host")) {
                Shutdown.leaveToHost();
            } else {
                Shutdown.grace(Duration.ofSeconds(Integer.parseInt(args[0])));
            }
            OnnxGenerator generator = OnnxGenerator.open(
                    EmbeddedModel.named("smollm2-135m-instruct").unpack().run());
            boolean endless = args[0].equals("0");
            GenerationOptions options = GenerationOptions.builder()
                    .maxTokens(endless ? 4000 : TOKENS)
                    .build();
            try (GenerationStream stream = generator.stream(Prompt.text("Once upon a time"), options)) {
                stream.iterator().next();
                System.out.println("running");
                Generation generation = stream.result();
                boolean more = !endless
                        && !generator
                                .generate(Prompt.text("And"), LITTLE)
                                .text()
                                .isEmpty();
                System.out.println(
                        generation.finish() + " " + (generation.tokens().size() == TOKENS) + " " + more);
            }
        }
    }

    private static final GenerationOptions LITTLE =
            GenerationOptions.builder().maxTokens(3).build();

    @RepeatedTest(3)
    void terminationDuringRunsIsNoCrash() throws Exception {
        Process process = start(Busy.class, "wait");
        running(process).close();
        assertThat(ended(process)).isEqualTo(TERMINATED);
    }

    @Test
    void exitDuringRunsKeepsItsStatus() throws Exception {
        Process process = start(Busy.class, "exit");
        assertThat(ended(process)).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"50", "host"})
    void aRequestThatRunsComesToItsEndAndMayGoOn(String grace) throws Exception {
        Process process = start(Answering.class, grace);
        try (BufferedReader out = running(process)) {
            assertThat(out.readLine()).isEqualTo("MAX_TOKENS true true");
            assertThat(ended(process)).isEqualTo(TERMINATED);
        }
    }

    @Test
    void withoutGraceAStreamEndsWithTheTextSoFar() throws Exception {
        Process process = start(Answering.class, "0");
        try (BufferedReader out = running(process)) {
            // the JVM may be gone before the last line is written, but never crashes
            assertThat(out.readLine()).isIn("CANCELLED false false", null);
            assertThat(ended(process)).isEqualTo(TERMINATED);
        }
    }

    @Test
    void aGraceIsNeitherNegativeNorEndless() {
        assertThatThrownBy(() -> Shutdown.grace(Duration.ofHours(2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("time must be in [0 s, 1 h] but was PT2H");
    }

    /** Its output, when the process runs and has been asked to end. */
    private static BufferedReader running(Process process) throws IOException {
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        assertThat(out.readLine()).isEqualTo("running");
        process.toHandle().destroy(); // of the process alone, whose output stays open
        return out;
    }

    private static int ended(Process process) throws InterruptedException {
        assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private Process start(Class<?> main, String argument) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dpollux.cache=" + System.getProperty("pollux.cache"),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                argument);
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Where a JVM that crashes leaves its log. */
    @AfterEach
    void nothingCrashed() {
        assertThat(folder).isEmptyDirectory();
    }
}
