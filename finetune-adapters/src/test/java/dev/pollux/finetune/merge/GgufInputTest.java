package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files as inputs: alone, beside folders, with the texts that the result needs. */
@NoLeaks
class GgufInputTest {

    private static final int[] IDS = {0, 139, 156, 132, 113};
    private static final Map<String, String> NAMES = Map.of(
            "input_layernorm", "attn_norm",
            "post_attention_layernorm", "ffn_norm",
            "self_attn.q_proj", "attn_q",
            "self_attn.k_proj", "attn_k",
            "self_attn.v_proj", "attn_v",
            "self_attn.o_proj", "attn_output",
            "mlp.gate_proj", "ffn_gate",
            "mlp.up_proj", "ffn_up",
            "mlp.down_proj", "ffn_down");

    @TempDir
    Path temp;

    @Test
    void aFileMergedWithTheFolderItWasMadeOfIsThatFolder() throws IOException {
        Path folder = TinyDecoder.llama(3).write(temp.resolve("folder"));
        converted(folder).write(temp.resolve("model.gguf"));
        MergePlan plan = MergekitYaml.parse("""
                models:
                  - model: model.gguf
                    parameters: {weight: 0.5}
                  - model: folder
                    parameters: {weight: 0.5}
                merge_method: linear
                """);

        CheckpointMerger.in(temp).merge(plan, temp.resolve("merged")).run();

        ObjectNode config =
                JsonFile.object(temp.resolve("merged").resolve("config.json")).orElseThrow();
        assertThat(config.path("model_type").asString()).isEqualTo("llama");
        assertThat(config.path("vocab_size").asInt()).isEqualTo(TinyDecoder.VOCABULARY);
        try (SafetensorsFolder due = SafetensorsFolder.open(folder);
                SafetensorsFolder found = SafetensorsFolder.open(temp.resolve("merged"))) {
            assertThat(found.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(due.tensors().keySet());
            for (String name : due.tensors().keySet()) {
                assertThat(found.floats(name)).as(name).containsExactly(due.floats(name), within(1e-6f));
            }
        }
        Files.copy(folder.resolve("tokenizer.json"), temp.resolve("merged").resolve("tokenizer.json"));
        assertThat(logits(temp.resolve("merged"))).containsExactly(logits(folder), within(1e-4f));
    }

    private float[] logits(Path model) {
        return FloatEngine.logits(model, temp, IDS);
    }

    /** A folder as the file that llama.cpp's converter makes of it, without the tokenizer. */
    private static GgufBuilder converted(Path folder) {
        ObjectNode config = JsonFile.object(folder.resolve("config.json")).orElseThrow();
        GgufBuilder file = new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.embedding_length", config.path("hidden_size").asInt())
                .put("llama.block_count", config.path("num_hidden_layers").asInt())
                .put(
                        "llama.feed_forward_length",
                        config.path("intermediate_size").asInt())
                .put(
                        "llama.attention.head_count",
                        config.path("num_attention_heads").asInt())
                .put(
                        "llama.attention.head_count_kv",
                        config.path("num_key_value_heads").asInt())
                .put("llama.attention.key_length", config.path("head_dim").asInt())
                .put("llama.attention.value_length", config.path("head_dim").asInt())
                .put("llama.rope.dimension_count", config.path("head_dim").asInt())
                .put(
                        "llama.context_length",
                        config.path("max_position_embeddings").asInt())
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.rope.freq_base", 10_000f);
        int width = config.path("head_dim").asInt();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            tensors.tensors().forEach((name, info) -> {
                long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
                float[] values = tensors.floats(name);
                boolean rotated = name.contains("q_proj") || name.contains("k_proj");
                file.floats(renamed(name), rotated ? inPairs(values, shape, width) : values, shape);
            });
        }
        return file;
    }

    private static String renamed(String name) {
        if (!name.startsWith("model.layers.")) {
            return switch (name) {
                case "model.embed_tokens.weight" -> "token_embd.weight";
                case "model.norm.weight" -> "output_norm.weight";
                default -> "output.weight";
            };
        }
        String[] parts = name.split("\\.", 4);
        String module = parts[3].substring(0, parts[3].length() - ".weight".length());
        return "blk." + parts[2] + "." + NAMES.get(module) + ".weight";
    }

    private static float[] inPairs(float[] values, long[] shape, int width) {
        int columns = (int) shape[1];
        float[] turned = new float[values.length];
        for (int row = 0; row < shape[0]; row++) {
            int within = row % width;
            int to = row - within + within % (width / 2) * 2 + within / (width / 2);
            System.arraycopy(values, row * columns, turned, to * columns, columns);
        }
        return turned;
    }

    @Test
    void theBundledModelHasEverythingThatItsFolderWouldHave() {
        Path file = ReferenceData.model("smollm2-135m-instruct").resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
        try (InputModel model =
                        InputModel.open(ModelReference.parse(file.getFileName().toString()), file.getParent());
                Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(model.config().path("model_type").asString()).isEqualTo("llama");
            assertThat(model.config().path("tie_word_embeddings").asBoolean()).isTrue();
            assertThat(model.config().path("bos_token_id").asInt()).isEqualTo(1);
            assertThat(model.texts())
                    .containsOnlyKeys("tokenizer.json", "tokenizer_config.json", "chat_template.jinja");
            String name = "model.layers.3.self_attn.k_proj.weight";
            float[] due = checkpoint.tensors().floats(name);
            float[] found = new float[1000];
            model.tensor(name).orElseThrow().read(77, found.length, found, 0);
            assertThat(found).isEqualTo(java.util.Arrays.copyOfRange(due, 77, 1077));
            try (Tokenizer again = Tokenizer.ofJson("merged", model.texts().getOrDefault("tokenizer.json", ""));
                    Tokenizer own = checkpoint.tokenizer().orElseThrow()) {
                assertThat(again.encode("Who are you?", false)).isEqualTo(own.encode("Who are you?", false));
            }
        }
    }

    @Test
    void aPlanOverAFolderWithOneFileIsPreviewed() {
        Path folder = ReferenceData.model("smollm2-135m-instruct");
        MergePlan plan = MergekitYaml.parse("""
                models: [{model: smollm2-135m-instruct}]
                merge_method: passthrough
                dtype: bfloat16
                """);
        MergePreview preview = CheckpointMerger.in(folder.getParent()).plan(plan);

        assertThat(preview.problems()).isEmpty();
        assertThat(preview.tensors()).hasSize(272);
        assertThat(preview.bytesToWrite()).isEqualTo(2 * 134_515_008L);
    }

    @Test
    void whatAFolderWouldHoldInAnotherFormIsRefused() throws IOException {
        Path folder = TinyDecoder.llama(3).write(temp.resolve("folder"));
        converted(folder)
                .floats("rope_freqs.weight", new float[] {1, 1, 1, 1, 2, 3, 4, 5}, 8)
                .write(temp.resolve("model.gguf"));

        assertThatThrownBy(() -> InputModel.open(ModelReference.parse("model.gguf"), temp))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("model " + temp.resolve("model.gguf") + " stores rotary factors that no configuration can"
                        + " express; use its Hugging Face folder");
    }
}
