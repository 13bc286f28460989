package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures at the command line. */
class MergeMoeCommandTest {

    @TempDir
    Path temp;

    @TempDir
    Path models;

    private Path plan;
    private Path mixture;

    @BeforeEach
    void write() throws IOException {
        TinyDecoder.llama(1).write(models.resolve("base"));
        TinyDecoder.llama(1).tuned(2, 0.01).write(models.resolve("ft-a"));
        TinyDecoder.llama(1).tuned(3, 0.05).write(models.resolve("ft-b"));
        plan = temp.resolve("plan.yml");
        mixture = temp.resolve("mixture");
        Files.writeString(plan, """
                base_model: base
                gate_mode: cheap_embed
                experts:
                  - source_model: ft-a
                    positive_prompts: ["the quick brown fox"]
                  - source_model: ft-b
                    positive_prompts: ["answer"]
                """);
    }

    @Test
    void makesAMixture() {
        Run done = Run.of("merge-moe", "--quiet", "--models", models.toString(), plan.toString(), mixture.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains("MixtralForCausalLM with 2 experts");
        assertThat(mixture.resolve("model.safetensors")).isRegularFile();
    }

    @Test
    void aDryRunSaysWhatEachTensorGetsAndWritesNothing() {
        Run done = Run.of("merge-moe", "--dry-run", "--models", models.toString(), plan.toString(), mixture.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("dry run: nothing is written")
                .contains("  model.layers.0.mlp.experts.down_proj: ft-a:model.layers.0.mlp.down_proj.weight,");
        assertThat(mixture).doesNotExist();
    }

    @Test
    void whatIsWrongWithAPlanIsSaid() throws IOException {
        Files.writeString(plan, Files.readString(plan).replace("cheap_embed", "cheap_embd"));
        Run done = Run.of("merge-moe", "--models", models.toString(), plan.toString(), mixture.toString());
        assertThat(done.code()).isEqualTo(1);
        assertThat(done.err()).contains("gate_mode cheap_embd is unknown (did you mean cheap_embed?)");
        assertThat(mixture).doesNotExist();
    }
}
