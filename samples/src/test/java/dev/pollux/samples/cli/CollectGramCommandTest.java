package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Collecting Gram matrices at the command line. */
class CollectGramCommandTest {

    @TempDir
    Path temp;

    private Path text = Path.of("");

    @BeforeEach
    void copy() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("model"));
        text = Files.writeString(temp.resolve("text.md"), "the quick brown fox and the lazy dog");
    }

    private Run run(String... more) {
        String[] words = {
            "collect-gram",
            "--quiet",
            "--models",
            temp.toString(),
            "--cache",
            temp.resolve("cache").toString()
        };
        String[] all = java.util.Arrays.copyOf(words, words.length + more.length);
        System.arraycopy(more, 0, all, words.length, more.length);
        return Run.of(all);
    }

    @Test
    void writesThemBesideTheWeights() {
        Run done = run("model", text.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains(TinyDecoder.LAYERS * TinyDecoder.PROJECTIONS.size() + " matrices")
                .contains("0 matrices, which get the mean");
        assertThat(temp.resolve("model").resolve("gram.safetensors")).isRegularFile();

        Run again = run("model", text.toString());
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("gram.safetensors must not exist; delete it to collect anew");
    }

    @Test
    void aDryRunWritesNothing() {
        Run done = run("--dry-run", "--tokens", "5", "model", text.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains("dry run: nothing is written").containsPattern("tokens +5");
        assertThat(temp.resolve("model").resolve("gram.safetensors")).doesNotExist();
        assertThat(temp.resolve("cache")).doesNotExist();
    }
}
