package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Collecting Fisher information at the command line, and merging with it. */
class CollectFisherCommandTest {

    @TempDir
    Path temp;

    private Run collect(String model, Path text, String... more) {
        String[] words = {"collect-fisher", "--quiet", "--json", "--threads", "1", "--models", temp.toString()};
        String[] all = Arrays.copyOf(words, words.length + more.length + 2);
        System.arraycopy(more, 0, all, words.length, more.length);
        all[all.length - 2] = model;
        all[all.length - 1] = text.toString();
        return Run.of(all);
    }

    @Test
    void twoModelsAreMergedByWhatTheirExamplesNeed() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("a"));
        TinyDecoder.llama(2).write(temp.resolve("b"));
        Path text = Files.writeString(temp.resolve("text.md"), "the quick brown fox and the lazy dog");
        for (String model : new String[] {"a", "b"}) {
            Run done = collect(model, text, "--window", "8");
            assertThat(done.code()).as(done.err()).isZero();
            JsonNode json = JsonNode.parse(done.out());
            assertThat(json.path("tensors").size())
                    .isGreaterThanOrEqualTo(TinyDecoder.LAYERS * TinyDecoder.PROJECTIONS.size());
            assertThat(json.path("examples").asInt(0)).isPositive();
            assertThat(temp.resolve(model).resolve("fisher.safetensors")).isRegularFile();
        }
        assertThat(collect("a", text).err()).contains("fisher.safetensors must not exist; delete it to collect anew");
        Path plan = Files.writeString(temp.resolve("merge.yml"), """
                merge_method: fisher
                models:
                  - model: a
                  - model: b
                dtype: float32
                """);
        Run merged = Run.of(
                "merge",
                "--quiet",
                "--models",
                temp.toString(),
                plan.toString(),
                temp.resolve("merged").toString());
        assertThat(merged.code()).as(merged.err()).isZero();
        assertThat(temp.resolve("merged/config.json")).isRegularFile();
    }
}
