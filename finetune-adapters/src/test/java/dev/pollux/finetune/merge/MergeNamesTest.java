package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.finetune.internal.model.ClassPrefix;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models whose tensors are called otherwise, or that hold buffers, merge as what they are. */
@NoLeaks
class MergeNamesTest {

    @TempDir
    Path temp;

    private void write(String name, SafetensorsBuilder tensors) throws IOException {
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.write(folder.resolve("model.safetensors"), tensors.toBytes());
        Files.writeString(folder.resolve("config.json"), "{\"num_hidden_layers\": 1}");
    }

    private Map<String, Float> merged(String first, String second) {
        CheckpointMerger.in(temp)
                .merge(
                        MergekitYaml.parse("merge_method: linear\nparameters: {weight: 1}\nmodels: [" + first + ", "
                                + second + "]\n"),
                        temp.resolve("out"))
                .run();
        Map<String, Float> values = new TreeMap<>();
        try (SafetensorsFolder file = SafetensorsFolder.open(temp.resolve("out"))) {
            file.tensors()
                    .keySet()
                    .forEach(name -> values.put(
                            name,
                            file.bytes(name, 0, 4)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getFloat()));
        }
        return values;
    }

    private static SafetensorsBuilder model(float value, String... names) {
        SafetensorsBuilder file = new SafetensorsBuilder();
        for (String name : names) {
            file.floats(name, new float[] {value}, 1);
        }
        return file;
    }

    @ParameterizedTest
    @CsvSource({
        "h.0.mlp.weight, wte.weight, transformer.h.0.mlp.weight, transformer.wte.weight",
        "layers.0.mlp.weight, embed_tokens.weight, model.layers.0.mlp.weight, model.embed_tokens.weight",
        "layers.0.mlp.weight, embed_in.weight, gpt_neox.layers.0.mlp.weight, gpt_neox.embed_in.weight",
        "language_model.model.layers.0.mlp.weight, vision_tower.a.weight,"
                + " model.language_model.layers.0.mlp.weight, model.vision_tower.a.weight",
        "language_model.lm_head.weight, language_model.model.layers.0.a.weight,"
                + " lm_head.weight, model.language_model.layers.0.a.weight",
    })
    void prefixesOfClassesAreNoDifference(String layer, String other, String layerToo, String otherToo)
            throws IOException {
        write("bare", model(1, layer, other));
        write("prefixed", model(3, layerToo, otherToo));

        assertThat(merged("bare", "prefixed")).isEqualTo(Map.of(layer, 2f, other, 2f));
    }

    @Test
    void theResultHasTheNamesOfTheModelWhoseConfigurationItHas() throws IOException {
        write("bare", model(1, "h.0.mlp.weight"));
        write("prefixed", model(3, "transformer.h.0.mlp.weight"));

        assertThat(merged("prefixed", "bare")).isEqualTo(Map.of("transformer.h.0.mlp.weight", 2f));
    }

    @Test
    void buffersAreLeftOutAndBiasesAreNot() throws IOException {
        SafetensorsBuilder old = model(1, "h.0.attn.c_attn.bias", "h.0.mlp.weight", "h.0.attention.bias")
                .tensor("h.0.attn.bias", DType.BOOL, new byte[4], 1, 1, 2, 2)
                .floats("h.0.attn.masked_bias", new float[] {-1e9f})
                .floats("h.0.attn.rotary_emb.inv_freq", new float[] {1}, 1)
                .tensor("embeddings.position_ids", DType.I64, new byte[16], 1, 2);
        write("old", old);
        write("new", model(3, "h.0.attn.c_attn.bias", "h.0.mlp.weight", "h.0.attention.bias"));

        assertThat(merged("old", "new"))
                .isEqualTo(Map.of("h.0.attn.c_attn.bias", 2f, "h.0.mlp.weight", 2f, "h.0.attention.bias", 2f));
    }

    @Test
    void wordsThatTellTensorsApartAreNoPrefixes() {
        assertThat(ClassPrefix.renamed(
                        new java.util.TreeSet<>(java.util.List.of("model.a.weight", "transformer.a.weight")),
                        java.util.Set.of("a.weight")))
                .isEqualTo(Map.of("model.a.weight", "model.a.weight", "transformer.a.weight", "transformer.a.weight"));
    }

    @Test
    void aModelOfTextAloneTakesNoPartInWhatSees() throws IOException {
        write("sees", model(1, "model.language_model.layers.0.a.weight", "model.visual.a.weight"));
        write("reads", model(3, "model.layers.0.a.weight"));

        assertThat(merged("sees", "reads"))
                .isEqualTo(Map.of("model.language_model.layers.0.a.weight", 2f, "model.visual.a.weight", 1f));
    }
}
