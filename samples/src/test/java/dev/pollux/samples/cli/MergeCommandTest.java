package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Merging at the command line. */
class MergeCommandTest {

    private static final String NL = System.lineSeparator();

    @TempDir
    Path temp;

    @TempDir
    Path models;

    private Path plan;
    private Path merged;

    @BeforeEach
    void write() throws IOException {
        TinyDecoder.llama(1).write(models.resolve("base"));
        TinyDecoder.llama(1).tuned(2, 0.01).write(models.resolve("ft-a"));
        TinyDecoder.llama(1).tuned(3, 0.05).write(models.resolve("ft-b"));
        plan = temp.resolve("plan.yml");
        merged = temp.resolve("merged");
        Files.writeString(plan, """
                models:
                  - model: ft-a
                    parameters: {weight: 0.5}
                  - model: ft-b
                    parameters: {weight: 0.5}
                merge_method: linear
                dtype: float32
                """);
    }

    @Test
    void mergesIntoAFolderThatOpens() {
        Run done = Run.of("merge", "--quiet", "--models", models.toString(), plan.toString(), merged.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains("target").contains("merged");
        try (Checkpoint checkpoint = Checkpoint.open(merged)) {
            assertThat(checkpoint.config().architecture()).isEqualTo("LlamaForCausalLM");
        }
    }

    @Test
    void aDryRunSaysWhatEachTensorGetsAndWritesNothing() {
        Run done = Run.of("merge", "--dry-run", "--models", models.toString(), plan.toString(), merged.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("dry run: nothing is written")
                .contains("  model.norm.weight: Linear")
                .contains("on this machine");
        assertThat(merged).doesNotExist();
    }

    @Test
    void tensorsOfLayersThatGetTheSameShareALineOfADryRun() throws IOException {
        Files.writeString(plan, """
                slices:
                  - sources: [{model: ft-a, layer_range: [0, 2]}]
                  - sources: [{model: ft-b, layer_range: [0, 2]}]
                merge_method: passthrough
                dtype: float32
                """);
        Run done = Run.of("merge", "--dry-run", "--models", models.toString(), plan.toString(), merged.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("  model.embed_tokens.weight: Passthrough[scale=1.0] of ft-a" + NL)
                .contains("  model.layers.{0-1}.mlp.up_proj.weight: Passthrough[scale=1.0] of ft-a" + NL)
                .contains("  model.layers.{2-3}.mlp.up_proj.weight: Passthrough[scale=1.0]"
                        + " of ft-b:model.layers.*-2.mlp.up_proj.weight" + NL);
    }

    @Test
    void aReportIsReplayedToTheSameWeights() throws IOException {
        assertThat(Run.of("merge", "--quiet", "--models", models.toString(), plan.toString(), merged.toString())
                        .code())
                .isZero();
        Path again = temp.resolve("again");
        Run replayed = Run.of(
                "merge",
                "--quiet",
                "--models",
                models.toString(),
                "--replay",
                merged.resolve("merge-report.json").toString(),
                again.toString());
        assertThat(replayed.code()).as(replayed.err()).isZero();
        assertThat(again.resolve("model.safetensors")).hasSameBinaryContentAs(merged.resolve("model.safetensors"));
    }

    @Test
    void whatIsWrongWithAPlanIsSaid() throws IOException {
        Files.writeString(plan, Files.readString(plan).replace("ft-b", "ft-zzz"));
        Run done = Run.of("merge", "--models", models.toString(), plan.toString(), merged.toString());
        assertThat(done.code()).isNotZero();
        assertThat(done.err()).contains("ft-zzz");
        assertThat(merged).doesNotExist();
    }

    @Test
    void aTextToEvaluateOnThatIsMissingIsSaidBeforeTheMerge() {
        Run done = Run.of(
                "merge", "--evaluate", "nowhere.md", "--models", models.toString(), plan.toString(), merged.toString());
        assertThat(done.code()).isEqualTo(1);
        assertThat(done.err()).contains("Cannot read nowhere.md");
        assertThat(merged).doesNotExist();
    }

    @Test
    void aReplayTakesEverythingFromItsReport() {
        String[][] others = {{"--dry-run"}, {"--evaluate", "text.md"}, {"--seed", "3"}, {"--no-hash"}};
        for (String[] more : others) {
            String[] words = {
                "merge", "--replay", "merge-report.json", merged.toString(), more[0], more[more.length - 1]
            };
            Run done = Run.of(java.util.Arrays.copyOf(words, 4 + more.length));
            assertThat(done.code()).isEqualTo(ExitCode.USAGE);
            assertThat(done.err())
                    .contains("pollux: --replay merges as its report says and nothing else; leave out " + more[0]
                            + " or --replay");
            assertThat(merged).doesNotExist();
        }
    }
}
