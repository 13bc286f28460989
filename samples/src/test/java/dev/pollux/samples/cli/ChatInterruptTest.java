package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C in a conversation, as the signal that a terminal makes of it. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no command that sends the signal")
class ChatInterruptTest {

    private static final String LONG = "Count from one to one thousand in words, one number a line.\n";

    @TempDir
    Path folder;

    /** A shell without job control starts background processes so, and the JVM then has no handler of the signal. */
    @BeforeAll
    static void theSignalIsNotIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.exists(status)) {
            String ignored = Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("SigIgn:"))
                    .map(line -> line.substring("SigIgn:".length()).strip())
                    .findFirst()
                    .orElse("0");
            boolean interrupt = (Long.parseUnsignedLong(ignored, 16) & 1 << 1) != 0; // SIGINT is 2
            assumeFalse(interrupt, "This build was started with SIGINT ignored, as in the background of a shell");
        }
    }

    @Test
    void theFirstEndsTheTurnAndTheSecondTheProgram() throws Exception {
        Process process = chat();
        try (Writer in = process.outputWriter();
                Reader out = process.inputReader()) {
            for (int turn = 0; turn < 2; turn++) {
                say(in, LONG);
                assertThat(out.read()).isPositive(); // the answer has begun
                interrupt(process);
                end(out);
            }
            // The line is out a moment before the turn is over; an interrupt in between ends the turn once more.
            for (int i = 0; i < 6 && process.isAlive(); i++) {
                interrupt(process);
                process.waitFor(10, TimeUnit.SECONDS);
            }
            assertThat(process.isAlive()).isFalse();
            assertThat(process.exitValue()).isEqualTo(ExitCode.INTERRUPTED);
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aConversationEndsInOrderAfterATurnWasEnded() throws Exception {
        Process process = chat();
        try (Writer in = process.outputWriter();
                Reader out = process.inputReader()) {
            say(in, LONG);
            assertThat(out.read()).isPositive();
            interrupt(process);
            end(out);
            say(in, "/quit\n");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(ExitCode.OK);
        }
    }

    private static void say(Writer in, String line) throws IOException {
        in.write(line);
        in.flush();
    }

    /** Reads to the empty line that a turn ends with. */
    private static void end(Reader out) throws IOException {
        for (int last = 0, c = out.read(); c >= 0 && !(c == '\n' && last == '\n'); c = out.read()) {
            last = c;
        }
    }

    private static void interrupt(Process process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private Process chat() throws IOException {
        return new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dpollux.cache=" + System.getProperty("pollux.cache"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Pollux.class.getName(),
                        "chat",
                        "--max-tokens",
                        "4000"))
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
