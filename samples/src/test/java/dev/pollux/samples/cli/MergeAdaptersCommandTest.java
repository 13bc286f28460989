package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Merging adapters at the command line. */
class MergeAdaptersCommandTest {

    private static final String Q = "model.layers.0.self_attn.q_proj.weight";
    private static final String K = "model.layers.0.self_attn.k_proj.weight";

    @TempDir
    Path temp;

    @TempDir
    Path adapters;

    @BeforeEach
    void write() {
        TinyDecoder.llama(1)
                .writeAdapter(adapters.resolve("lora-1"), 4, 8, List.of("self_attn.q_proj", "self_attn.v_proj"));
        TinyDecoder.llama(2).writeAdapter(adapters.resolve("lora-2"), 2, 4, TinyDecoder.PROJECTIONS);
    }

    private String adapter(String name) {
        return adapters.resolve(name).toString();
    }

    private Run run(String... more) {
        List<String> words = new ArrayList<>(
                List.of("merge-adapters", "--quiet", temp.resolve("both").toString()));
        words.addAll(List.of(more));
        return Run.of(words.toArray(String[]::new));
    }

    @Test
    void writesAnAdapterThatCanBeMergedAgain() {
        Run done =
                run("--adapter", adapter("lora-1") + "=0.5", "--adapter", adapter("lora-2") + "=-0.25", "--rank", "3");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("core-space")
                .contains("lora-2, weight -0.25")
                .contains(Q + ": rank 3")
                .contains(K + ": rank 2");
        assertThat(temp.resolve("both").resolve("adapter_config.json")).isRegularFile();

        Run again = Run.of(
                "merge-adapters",
                temp.resolve("again").toString(),
                "--dry-run",
                "--adapter",
                temp.resolve("both").toString());
        assertThat(again.out()).contains(Q + ": rank at most 3").contains("weight 1.0");
    }

    @Test
    void aDryRunSaysTheRanksAndWritesNothing() {
        Run done = run(
                "--adapter",
                adapter("lora-1"),
                "--adapter",
                adapter("lora-2"),
                "--method",
                "concatenated",
                "--dry-run");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("dry run: nothing is written")
                .contains(Q + ": rank 6")
                .contains(K + ": rank 2");
        assertThat(temp.resolve("both")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ties", "dare-linear", "dare-ties", "magnitude-prune", "core-space-ties"})
    void thinningMethodsRunAtADensity(String method) {
        Run done = run(
                "--adapter",
                adapter("lora-1"),
                "--adapter",
                adapter("lora-1") + "=0.5",
                "--method",
                method,
                "--density",
                "0.5");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains(method).contains(Q + ": rank 4");
    }

    @Test
    void adaptersThatDoNotFitAreRefusedInADryRunToo() {
        for (String[] more : new String[][] {{}, {"--dry-run"}}) {
            List<String> words = new ArrayList<>(
                    List.of("--adapter", adapter("lora-1"), "--adapter", adapter("lora-2"), "--method", "linear"));
            words.addAll(List.of(more));
            Run done = run(words.toArray(String[]::new));
            assertThat(done.code()).isEqualTo(ExitCode.ERROR);
            assertThat(done.err())
                    .contains("Cannot merge " + Q + ": ranks are 4 and 2, and factors are merged element by element;"
                            + " use CoreSpace or Concatenated");
            assertThat(temp.resolve("both")).doesNotExist();
        }
    }

    @Test
    void optionsThatWouldDoNothingAreUsageErrors() {
        assertMisused("--rank has no effect with --method ties; leave it out or use core-space", "ties", "--rank", "4");
        assertMisused(
                "--density has no effect with --method linear; leave it out or use another method",
                "linear",
                "--density",
                "0.5");
        assertMisused(
                "--seed has no effect with --method ties, which draws no random numbers; leave it out or use"
                        + " dare-linear or dare-ties",
                "ties",
                "--seed",
                "1");
        assertMisused("--method dare-ties needs --density, the share of the elements that are kept", "dare-ties");
        assertMisused(
                "--adapter must be a folder, or a folder=weight such as writer=0.6, but was a=b",
                "concatenated",
                "--adapter",
                "a=b");
    }

    private void assertMisused(String message, String method, String... more) {
        List<String> words = new ArrayList<>(List.of("--adapter", "x", "--method", method));
        words.addAll(List.of(more));
        Run done = run(words.toArray(String[]::new));
        assertThat(done.code()).isEqualTo(ExitCode.USAGE);
        assertThat(done.err()).contains("pollux: " + message);
    }
}
