package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** A JVM that ends while models run must end in order: the native library, left alone, crashes it. */
class JvmExitTest {

    private static final int TERMINATED = 128 + 15;

    /** Generates on three threads until it is ended from outside, or ends itself. */
    static final class Busy {

        private Busy() {}

        public static void main(String[] args) throws InterruptedException {
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

    @RepeatedTest(3)
    void terminationDuringRunsIsNoCrash() throws Exception {
        Process process = start("wait");
        process.destroy();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(TERMINATED);
    }

    @Test
    void exitDuringRunsKeepsItsStatus() throws Exception {
        Process process = start("exit");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(3);
    }

    private static Process start(String argument) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dpollux.cache=" + System.getProperty("pollux.cache"),
                "-cp",
                System.getProperty("java.class.path"),
                Busy.class.getName(),
                argument);
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        assertThat(out.readLine()).isEqualTo("running");
        return process;
    }
}
