package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a folder with a ready-made ONNX decoder. */
@NoLeaks
class OnnxFolderCommandsTest {

    @TempDir
    Path temp;

    private Path folder() throws IOException {
        Files.createDirectories(temp.resolve("onnx"));
        Files.writeString(
                temp.resolve("config.json"),
                "{\"architectures\": [\"LlamaForCausalLM\"], \"max_position_embeddings\": 64, \"eos_token_id\": 2}");
        for (String name : new String[] {"model.onnx", "model_q4.onnx"}) {
            GraphBuilder graph = GraphBuilder.create();
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            graph.output("logits", ElementType.FLOAT, "batch", "tokens", 9);
            for (String part : new String[] {"key", "value"}) {
                graph.input("past_key_values.0." + part, ElementType.FLOAT, "batch", 2, "past", 4);
                graph.output("present.0." + part, ElementType.FLOAT, "batch", 2, "total", 4);
            }
            GraphWriter.write(graph.build(), temp.resolve("onnx").resolve(name));
        }
        return temp;
    }

    @Test
    void inspectDescribesAFolder() throws IOException {
        Run run = Run.of("inspect", "--json", folder().toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode json = run.json();
        assertThat(json.propertyNames())
                .containsExactly(
                        "kind",
                        "path",
                        "format",
                        "name",
                        "architecture",
                        "variants",
                        "contextLength",
                        "vocabularySize",
                        "states",
                        "tokenizerSize",
                        "chatTemplate",
                        "endTokens",
                        "provenance");
        assertThat(json.path("kind").asString()).isEqualTo("onnx");
        assertThat(json.path("format").asString()).isEqualTo("optimum");
        assertThat(json.path("path").asString()).endsWith("model.onnx");
        assertThat(json.path("variants").toString()).isEqualTo("[\"onnx/model.onnx\",\"onnx/model_q4.onnx\"]");
        assertThat(json.path("contextLength").asInt()).isEqualTo(64);
        assertThat(json.path("states").asInt()).isEqualTo(2);
        assertThat(json.path("provenance").path("cache").asString()).isEqualTo("copied by every step");
        assertThat(Run.of("inspect", below("onnx/model_q4.onnx")).out())
                .contains("model_q4.onnx")
                .contains("LlamaForCausalLM");
    }

    private String below(String file) {
        return temp.resolve(file).toString();
    }

    @Test
    void aVariantThatIsNotThereIsAnsweredWithThoseThatAre() throws IOException {
        folder();
        Run run = Run.of("generate", "--model", below("onnx/model_q8.onnx"), "Hello");

        assertThat(run.code()).isNotEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("holds [model.onnx, model_q4.onnx]; give the path of one");
    }
}
