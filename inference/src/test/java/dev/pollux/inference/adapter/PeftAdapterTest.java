package dev.pollux.inference.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters in PEFT's form, as they are read for a running model. */
@NoLeaks
class PeftAdapterTest {

    private static final String PEFT = "base_model.model.";

    @TempDir
    Path folder;

    private Adapter read(String settings, SafetensorsBuilder file) throws IOException {
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\": 1, \"lora_alpha\": 2" + settings + "}");
        Files.write(folder.resolve("adapter_model.safetensors"), file.toBytes());
        return Adapter.read(folder, 1);
    }

    private static SafetensorsBuilder head() {
        return new SafetensorsBuilder()
                .floats(PEFT + "lm_head.lora_A.weight", new float[] {1, 2}, 1, 2)
                .floats(PEFT + "lm_head.lora_B.weight", new float[] {3, 4, 5}, 3, 1);
    }

    @Test
    void theMatrixBesideItsFactorsIsPassedOverUnlessItHasGrown() throws IOException {
        SafetensorsBuilder file = head().floats(PEFT + "lm_head.base_layer.weight", new float[6], 3, 2)
                .floats(PEFT + "model.embed_tokens.lora_embedding_A", new float[] {1, 2, 3}, 1, 3)
                .floats(PEFT + "model.embed_tokens.lora_embedding_B", new float[] {1, 2}, 2, 1)
                .floats(PEFT + "model.embed_tokens.base_layer.weight", new float[6], 3, 2);
        Adapter adapter = read("", file);
        assertThat(adapter.factors()).containsOnlyKeys("lm_head.weight", "model.embed_tokens.weight");
        assertThatThrownBy(() ->
                        read("", head().floats(PEFT + "model.embed_tokens.base_layer.weight", new float[8], 4, 2)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The adapter " + folder + " has model.embed_tokens.weight of shape [4, 2] as a whole: only"
                        + " LoRA factors of matrices can be added to a running model; merge it"
                        + " into the model first (pollux merge)");
    }

    @Test
    void trainedTokensAreSentToAMergeAndOtherKindsAreNot() {
        assertThatThrownBy(() -> read(", \"trainable_token_indices\": [1]", head()))
                .hasMessage(
                        "The adapter " + folder + " has trainable_token_indices: only LoRA factors of matrices can be"
                                + " added to a running model; merge it into the model first (pollux merge)");
        assertThatThrownBy(() -> read(", \"peft_type\": \"LOHA\"", head()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The adapter " + folder
                        + " has peft_type LOHA, which is no LoRA; only LoRA factors of matrices can be read");
    }

    @Test
    void matricesHaveTheNamesOfTheModelTheyAreAddedTo() throws IOException {
        Adapter adapter = read(
                "",
                new SafetensorsBuilder()
                        .floats("layers.0.q.lora_A.default.weight", new float[] {1, 2}, 1, 2)
                        .floats("layers.0.q.lora_B.default.weight", new float[] {3, 4}, 2, 1));
        assertThat(adapter.named(Set.of("model.layers.0.q.weight")).factors())
                .containsOnlyKeys("model.layers.0.q.weight");
        Adapter twice = read(
                "",
                new SafetensorsBuilder()
                        .floats("layers.0.q.lora_A.weight", new float[] {1, 2}, 1, 2)
                        .floats("layers.0.q.lora_B.weight", new float[] {3, 4}, 2, 1)
                        .floats("transformer.layers.0.q.lora_A.weight", new float[] {1, 2}, 1, 2)
                        .floats("transformer.layers.0.q.lora_B.weight", new float[] {3, 4}, 2, 1));
        assertThatThrownBy(() -> twice.named(Set.of("model.layers.0.q.weight")))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + folder.getFileName()
                        + " has two pairs of factors for model.layers.0.q.weight; get the adapter again");
    }
}
