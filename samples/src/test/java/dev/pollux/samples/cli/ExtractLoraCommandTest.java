package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Extracting an adapter at the command line. */
class ExtractLoraCommandTest {

    @TempDir
    Path temp;

    @TempDir
    Path models;

    private Run run(String... more) {
        TinyDecoder.llama(1).write(models.resolve("base"));
        TinyDecoder.llama(1).tuned(3, 0.05).write(models.resolve("ft-b"));
        String[] words = {
            "extract-lora", "--quiet", "--models", models.toString(), "--base", "base", "--model", "ft-b", "--rank", "4"
        };
        String[] all = java.util.Arrays.copyOf(words, words.length + more.length);
        System.arraycopy(more, 0, all, words.length, more.length);
        return Run.of(all);
    }

    @Test
    void writesAnAdapter() {
        Run done = run(temp.resolve("adapter").toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains(TinyDecoder.LAYERS * TinyDecoder.PROJECTIONS.size() + " factored")
                .contains("of the factored matrices' change is lost");
        assertThat(temp.resolve("adapter").resolve("adapter_config.json")).isRegularFile();
        assertThat(temp.resolve("adapter").resolve("adapter_model.safetensors")).isRegularFile();
    }

    @Test
    void aDryRunSaysWhatWouldBeFactoredAndWritesNothing() {
        Run done = run("--dry-run", "--exclude", "mlp", temp.resolve("adapter").toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("dry run: nothing is written")
                .contains("  model.layers.0.self_attn.k_proj: 16 × 32, rank at most 4")
                .doesNotContain("× 48");
        assertThat(temp.resolve("adapter")).doesNotExist();
    }

    @Test
    void aModelThatIsMissingIsNamed() {
        Run done = Run.of(
                "extract-lora",
                "--base",
                "nowhere",
                "--model",
                "neither",
                temp.resolve("a").toString());
        assertThat(done.code()).isEqualTo(1);
        assertThat(done.err()).contains("model nowhere not found");
    }
}
