package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.starter.DocumentTwin;
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

    /** One question has its answer in the passage, the other none. */
    @Test
    void theEmbeddedAdapterAnswersFromAPassageOrRefuses() throws IOException {
        String passage = "The Argo was rowed by fifty heroes. It was built by Argus, a shipwright from Thespiae.";
        String data = file("""
                {"id": "a", "context": "%1$s", "question": "Who built the Argo?", "answers": ["Argus"]}
                {"id": "b", "context": "%1$s", "question": "How much did the tickets cost?", "answers": []}
                """.formatted(passage));
        model = DocumentTwin.DEFAULT_MODEL;
        Run done = run("--adapter", DocumentTwin.DEFAULT_MODEL + "-reading", "--data", data);
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.path("contains").path("value").asDouble(0)).isEqualTo(1);
        assertThat(json.path("refusedUnanswerable").path("value").asDouble(0)).isEqualTo(1);
        assertThat(json.path("refusedAnswerable").path("value").asDouble(1)).isZero();
        Run mistaken = Run.of("generate", "--model", DocumentTwin.DEFAULT_MODEL + "-reading", "Hello");
        assertThat(mistaken.err()).contains("is an adapter of " + DocumentTwin.DEFAULT_MODEL);
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
