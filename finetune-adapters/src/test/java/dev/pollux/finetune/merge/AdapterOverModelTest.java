package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters over the embedding and the head of models, calculated by hand: the embedding is 3 × 2 of 1 … 6. */
@NoLeaks
class AdapterOverModelTest {

    private static final float[] E = {1, 2, 3, 4, 5, 6};
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";
    private static final String PEFT = "base_model.model.";
    private static final String TIED = "{\"architectures\": [\"LlamaForCausalLM\"], \"tie_word_embeddings\": true}";

    @TempDir
    Path temp;

    private void base(String config, SafetensorsBuilder file) throws IOException {
        folder("base", "config.json", config, "model.safetensors", file);
    }

    private void adapter(String settings, SafetensorsBuilder file) throws IOException {
        folder(
                "adapter",
                "adapter_config.json",
                "{\"r\": 1, \"lora_alpha\": 2" + settings + "}",
                "adapter_model.safetensors",
                file);
    }

    private void folder(String name, String settings, String json, String weights, SafetensorsBuilder file)
            throws IOException {
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.writeString(folder.resolve(settings), json);
        Files.write(folder.resolve(weights), file.toBytes());
    }

    private static SafetensorsBuilder embedding(String name) {
        return new SafetensorsBuilder().floats(name, E, 3, 2);
    }

    private InputModel open() {
        return InputModel.open(ModelReference.parse("base+adapter"), temp);
    }

    private static float[] values(InputModel model, String tensor) {
        TensorSource source = model.tensor(tensor).orElseThrow().ready();
        float[] values = new float[(int) source.elements()];
        source.read(0, values.length, values, 0);
        return values;
    }

    private void assertApart(float[] embedding, float[] head) {
        try (InputModel model = open()) {
            assertThat(values(model, EMBEDDING)).containsExactly(embedding);
            assertThat(model.tensors()).containsKey(HEAD);
            assertThat(values(model, HEAD)).containsExactly(head);
            assertThat(model.type(HEAD)).isEqualTo(model.type(EMBEDDING));
            assertThat(model.config().path("tie_word_embeddings").asBoolean(true))
                    .isFalse();
        }
    }

    @Test
    void factorsOfATiedHeadLeaveTheEmbedding() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + "lm_head.lora_A.weight", new float[] {1, 10}, 1, 2)
                        .floats(PEFT + "lm_head.lora_B.weight", new float[] {0, 1, 2}, 3, 1));
        assertApart(E, new float[] {1, 2, 5, 24, 9, 46});
    }

    @Test
    void factorsOfAnEmbeddingLeaveTheHeadTiedToIt() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + "model.embed_tokens.lora_embedding_A", new float[] {0, 1, 2}, 1, 3)
                        .floats(PEFT + "model.embed_tokens.lora_embedding_B", new float[] {1, 10}, 2, 1));
        assertApart(new float[] {1, 2, 5, 24, 9, 46}, E);
    }

    @Test
    void aSavedEmbeddingLeavesTheHeadTiedToIt() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter("", new SafetensorsBuilder().floats(PEFT + EMBEDDING, new float[] {9, 8, 7, 6, 5, 4}, 3, 2));
        assertApart(new float[] {9, 8, 7, 6, 5, 4}, E);
    }

    @Test
    void aModelWithoutAHeadGetsNone() throws IOException {
        base("{\"architectures\": [\"LlamaModel\"], \"tie_word_embeddings\": true}", embedding("embed_tokens.weight"));
        adapter("", new SafetensorsBuilder().floats(PEFT + EMBEDDING, new float[6], 3, 2));
        try (InputModel model = open()) {
            assertThat(model.tensors()).containsOnlyKeys("embed_tokens.weight");
            assertThat(values(model, "embed_tokens.weight")).containsOnly(0f);
        }
    }

    @Test
    void theHeadOfAClassifierIsNamed() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter("", new SafetensorsBuilder().floats(PEFT + "score.weight", new float[4], 2, 2));
        assertThatThrownBy(this::open)
                .isExactlyInstanceOf(MalformedFileException.class)
                .hasMessage("adapter adapter changes score.weight, which its model does not have; it is the head of a"
                        + " classifier, which a language model does not have: load it with PEFT, merge it there, and"
                        + " save it");
    }

    @Test
    void theHeadOfAGrownVocabularyComesWithTheEmbedding() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter("", new SafetensorsBuilder().floats(PEFT + EMBEDDING, new float[8], 4, 2));
        assertThatThrownBy(this::open)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("adapter adapter leaves model.embed_tokens.weight with 4 rows and lm_head.weight with 3;"
                        + " save it again with both (save_embedding_layers=True)");
        adapter(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + "model.embed_tokens.modules_to_save.weight", new float[8], 4, 2)
                        .floats(PEFT + EMBEDDING, new float[] {1, 1, 1, 1, 1, 1, 1, 1}, 4, 2)
                        .floats(PEFT + "lm_head.weight", new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2));
        assertApart(new float[8], new float[] {1, 2, 3, 4, 5, 6, 7, 8});
    }

    @Test
    void trainedTokensAreRowsOfATiedHeadToo() throws IOException {
        base(TIED, embedding(EMBEDDING));
        SafetensorsBuilder rows = new SafetensorsBuilder()
                .floats(
                        PEFT + "model.embed_tokens.token_adapter.trainable_tokens_delta",
                        new float[] {7, 8, 9, 10},
                        2,
                        2);
        adapter(", \"trainable_token_indices\": [2, 0]", rows);
        try (InputModel model = open()) {
            assertThat(model.tensors()).containsOnlyKeys(EMBEDDING);
            assertThat(values(model, EMBEDDING)).containsExactly(9, 10, 3, 4, 7, 8);
            assertThat(model.config().path("tie_word_embeddings").asBoolean()).isTrue();
        }
        adapter(
                ", \"trainable_token_indices\": {\"embed_tokens\": [2, 0], \"lm_head\": [1]}",
                rows.floats(PEFT + "lm_head.token_adapter.trainable_tokens_delta", new float[] {0, 0}, 1, 2));
        assertApart(new float[] {9, 10, 3, 4, 7, 8}, new float[] {1, 2, 0, 0, 5, 6});
        adapter(", \"trainable_token_indices\": {\"embed_tokens\": [2, 3], \"lm_head\": [1]}", rows);
        assertThatThrownBy(this::open)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("adapter adapter holds a row of token 3 but model.embed_tokens.weight has 3 rows;"
                        + " add the tokens to the model first");
    }

    @ParameterizedTest
    @CsvSource({
        "language_model.model.layers.0.q.weight, model.language_model.layers.0.q",
        "model.language_model.layers.0.q.weight, language_model.model.layers.0.q",
        "model.layers.0.q.weight, layers.0.q",
        "layers.0.q.weight, model.layers.0.q"
    })
    void anAdapterOfAnotherClassOfTheModelFits(String stored, String trained) throws IOException {
        base(
                "{\"model_type\": \"gemma3\"}",
                embedding(stored).floats("vision_tower.layers.0.q.weight", new float[1], 1, 1));
        adapter(
                ", \"alpha_pattern\": {\".*layers.0.q\": 4}",
                new SafetensorsBuilder()
                        .floats(PEFT + trained + ".lora_A.weight", new float[] {1, 10}, 1, 2)
                        .floats(PEFT + trained + ".lora_B.weight", new float[] {0, 1, 2}, 3, 1));
        try (InputModel model = open()) {
            assertThat(values(model, stored)).containsExactly(1, 2, 7, 44, 13, 86);
        }
    }

    @Test
    void matricesOfGpt2AreTransposedWhateverTheSettingOfTheLastModuleSays() throws IOException {
        String name = "transformer.h.0.attn.c_attn";
        base(
                "{\"model_type\": \"gpt2\"}",
                new SafetensorsBuilder().floats(name + ".weight", new float[] {0, 0, 0, 0}, 2, 2));
        adapter(
                ", \"fan_in_fan_out\": false",
                new SafetensorsBuilder()
                        .floats(PEFT + name + ".lora_A.weight", new float[] {1, 10}, 1, 2)
                        .floats(PEFT + name + ".lora_B.weight", new float[] {1, 2}, 2, 1));
        try (InputModel model = open()) {
            assertThat(values(model, name + ".weight")).containsExactly(2, 4, 20, 40);
        }
    }

    @Test
    void otherKindsOfAdaptersAreNamed() throws IOException {
        base(TIED, embedding(EMBEDDING));
        adapter(", \"peft_type\": \"IA3\"", new SafetensorsBuilder().floats("x", new float[1], 1));
        assertThatThrownBy(this::open)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The adapter " + temp.resolve("adapter")
                        + " has peft_type IA3, which is not LoRA; only LoRA and DoRA"
                        + " factors, whole modules and trained tokens can be read");
    }

    @Test
    void theTokenizerAndTemplateOfAnAdapterGoBeforeItsModels() throws IOException {
        base(
                "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"num_hidden_layers\": 1,"
                        + " \"eos_token_id\": 2, \"vocab_size\": 3}",
                embedding(EMBEDDING).floats(HEAD, E, 3, 2).floats("model.layers.0.norm.weight", new float[] {1, 1}, 2));
        adapter(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + EMBEDDING, new float[8], 4, 2)
                        .floats(PEFT + HEAD, new float[8], 4, 2));
        text("base/tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2}}}");
        text("base/tokenizer_config.json", "{\"eos_token\": \"c\"}");
        text("base/special_tokens_map.json", "{\"eos_token\": \"c\"}");
        text("base/chat_template.jinja", "the base's");
        text("base/generation_config.json", "{\"eos_token_id\": [2]}");
        text(
                "adapter/tokenizer.json",
                "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2}},"
                        + " \"added_tokens\": [{\"id\": 3, \"content\": \"<end>\"}]}");
        text("adapter/tokenizer_config.json", "{\"eos_token\": \"<end>\", \"chat_template\": \"the adapter's\"}");

        Path target = temp.resolve("out");
        var report = CheckpointMerger.in(temp)
                .merge(
                        MergePlan.builder("passthrough")
                                .model("base+adapter", Map.of())
                                .build(),
                        target)
                .run();

        assertThat(Files.readString(target.resolve("tokenizer.json"))).contains("<end>");
        assertThat(Files.readString(target.resolve("tokenizer_config.json"))).contains("the adapter's");
        assertThat(target.resolve("chat_template.jinja")).doesNotExist();
        assertThat(target.resolve("special_tokens_map.json")).doesNotExist();
        ObjectNode config = JsonFile.object(target.resolve("config.json")).orElseThrow();
        assertThat(config.path("eos_token_id")).extracting(id -> id.asInt()).containsExactly(3, 2);
        assertThat(config.path("vocab_size").asInt()).isEqualTo(4);
        assertThat(config.path("tie_word_embeddings").asBoolean(true)).isFalse();
        assertThat(JsonFile.object(target.resolve("generation_config.json"))
                        .orElseThrow()
                        .path("eos_token_id"))
                .extracting(id -> id.asInt())
                .containsExactly(3, 2);
        assertThat(report.notices().toString())
                .contains("the tokenizer and the chat template are those of the adapter adapter");
    }

    private void text(String name, String text) throws IOException {
        Files.writeString(temp.resolve(name), text);
    }

    @Test
    void anExtractedAdapterHoldsTheHeadOfTiedModelsWhereItChanged() throws IOException {
        base(TIED, embedding(EMBEDDING));
        folder("same", "config.json", TIED, "model.safetensors", embedding(EMBEDDING));
        float[] other = {6, 5, 4, 3, 2, 1};
        folder(
                "tuned",
                "config.json",
                TIED,
                "model.safetensors",
                new SafetensorsBuilder().floats(EMBEDDING, other, 3, 2));
        LoraExtraction.in(temp)
                .extract("base", "tuned", temp.resolve("adapter"))
                .run();
        try (SafetensorsFile file = SafetensorsFile.open(temp.resolve("adapter/adapter_model.safetensors"))) {
            assertThat(file.tensors()).containsOnlyKeys(PEFT + EMBEDDING, PEFT + HEAD);
            assertThat(file.floats(PEFT + HEAD)).containsExactly(other);
        }
        ObjectNode settings =
                JsonFile.object(temp.resolve("adapter/adapter_config.json")).orElseThrow();
        assertThat(settings.path("modules_to_save"))
                .extracting(module -> module.asString())
                .containsExactly("embed_tokens", "lm_head");
        assertApart(other, other);
        assertThat(LoraExtraction.in(temp)
                        .extract("base", "same", temp.resolve("nothing"))
                        .run()
                        .whole())
                .containsExactly(EMBEDDING);
    }
}
