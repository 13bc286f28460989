package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measuring models at the command line. */
class EvaluateCommandTest {

    @TempDir
    Path temp;

    private String model = "";

    @BeforeEach
    void write() throws IOException {
        model = temp.resolve("model").toString();
        TinyDecoder.llama(1).write(temp.resolve("model"));
    }

    private String file(String text) throws IOException {
        return Files.writeString(temp.resolve("data"), text).toString();
    }

    private Run run(String... more) {
        List<String> words = new ArrayList<>(
                List.of("evaluate", "generate", "--quiet", "--json", "--model", model, "--threads", "1"));
        words.addAll(List.of(more));
        return Run.of(words.toArray(String[]::new));
    }

    @Test
    void answersAndPerplexityAreMeasuredWithIntervals() throws IOException {
        String data = file("""
                {"id": "a", "question": "the quick", "answers": ["brown fox"]}
                {"id": "b", "question": "the lazy", "answers": [], "answerable": false}
                {"text": "the quick brown fox jumps over the lazy dog"}
                """);
        Run done = run(
                "--data",
                data,
                "--max-tokens",
                "2",
                "--answers",
                temp.resolve("answers").toString());
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.propertyNames())
                .containsExactly(
                        "rows",
                        "exactMatch",
                        "tokenF1",
                        "contains",
                        "refusedUnanswerable",
                        "refusedAnswerable",
                        "perplexity");
        assertThat(json.path("rows").asInt(0)).isEqualTo(3);
        assertThat(json.path("exactMatch").propertyNames()).containsExactly("value", "low", "high");
        assertThat(json.path("perplexity").path("value").asDouble(0)).isGreaterThan(1);
        assertThat(Files.readAllLines(temp.resolve("answers"))).hasSize(2);
    }

    @Test
    void aMeasureThatNoRowHasIsNull() throws IOException {
        Run done = run("--data", file("the quick brown fox jumps over the lazy dog"));
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.has("contains")).isTrue();
        assertThat(json.hasNonNull("contains")).isFalse();
        assertThat(json.hasNonNull("perplexity")).isTrue();
    }

    @Test
    void aSampleBelowOneIsRefused() throws IOException {
        Run done = run("--data", file("{\"question\": \"the\", \"answers\": [\"fox\"]}"), "--sample", "0");
        assertThat(done.code()).isEqualTo(ExitCode.USAGE);
        assertThat(done.err()).contains("--sample must be at least 1 but was 0");
    }
}
