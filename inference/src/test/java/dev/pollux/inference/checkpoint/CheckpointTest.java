package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.OpenHandle;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints made here: width 8, two query heads of width 4 and one key head, one layer, vocabulary 3. */
final class CheckpointTest {

    private static final String CONFIG = """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1,
             "num_hidden_layers": 1, "intermediate_size": 6, "vocab_size": 3, "max_position_embeddings": 16,
             "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true, "eos_token_id": [2, 77]}
            """;

    @TempDir
    Path folder;

    private int openBefore;

    @BeforeEach
    void countHandles() {
        openBefore = OpenHandle.open().size();
    }

    @AfterEach
    void nothingIsLeftOpen() {
        assertThat(OpenHandle.open()).hasSize(openBefore);
    }

    @Test
    void aFolderIsOpenedWithItsConfigurationTensorsAndTemplate() throws IOException {
        Path model = hub(CONFIG, weights());
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"chat_template\": \"{{ x }}\"}");
        Files.writeString(model.resolve("README.md"), "not part of the model");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.config())
                    .isEqualTo(new ModelConfig(
                            "LlamaForCausalLM",
                            "model",
                            8,
                            1,
                            2,
                            1,
                            4,
                            6,
                            3,
                            16,
                            1e-5,
                            10_000,
                            new RotaryScaling.None(),
                            true));
            assertThat(checkpoint.endTokens()).containsExactly(2);
            assertThat(checkpoint.chatTemplate()).contains("{{ x }}");
            assertThat(checkpoint.tokenizer()).isEmpty();
            assertThat(checkpoint.files())
                    .containsExactly(
                            model.resolve("config.json"),
                            model.resolve("model.safetensors"),
                            model.resolve("tokenizer_config.json"));
            Files.writeString(model.resolve("chat_template.jinja"), "{{ y }}");
            assertThat(checkpoint.chatTemplate()).contains("{{ y }}");
        }
    }

    @Test
    void aFolderBehindALinkIsOpenedUnderItsOwnName() throws IOException {
        Path model = hub(CONFIG, weights());
        Path link = Files.createSymbolicLink(folder.resolve("link"), model);
        try (Checkpoint checkpoint = Checkpoint.open(link)) {
            assertThat(checkpoint.config().name()).isEqualTo("link");
        }
    }

    @Test
    void biasesAreOptional() throws IOException {
        SafetensorsBuilder weights = weights();
        weights.floats("model.layers.0.self_attn.q_proj.bias", new float[8], 8);
        weights.floats("model.layers.0.mlp.down_proj.bias", new float[8], 8);
        Checkpoint.open(hub(CONFIG, weights)).close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"hidden_size\": 8 | \"hidden_size\": \"8\" | hidden_size must be a whole number in [1, 16777216] but was \"8\"",
                "\"hidden_size\": 8, | | hidden_size must be a whole number in [1, 16777216] but was absent",
                "\"vocab_size\": 3 | \"vocab_size\": 99999999 | vocab_size must be a whole number in [1, 16777216] but was 99999999",
                "_key_value_heads\": 1 | _key_value_heads\": 3 | 2 heads must be a multiple of 3 key/value heads, and the head width 4 even",
                "_attention_heads\": 2 | _attention_heads\": 3 | the width 8 must be a multiple of the 3 heads where no head width is given",
                "1e-5 | 0 | the norm's epsilon must be in (0, 1) but was 0.0",
                "1e-5 | \"x\" | rms_norm_eps must be a number but was \"x\"",
                "10000.0 | -1 | the rotary base must be above 1 but was -1.0",
                "10000.0 | 10000, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0} | factor must be greater than 0 but was 0.0",
            })
    void numbersThatDoNotFitAreRefused(String from, String to, String why) throws IOException {
        Path model = hub(CONFIG.replace(from, to == null ? "" : to), weights());
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(model.resolve("config.json") + ": " + why);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"vocab_size\": 3 | \"vocab_size\": 3, \"partial_rotary_factor\": 0.5 | partial_rotary_factor must be 1: rotation of a part of the head is not supported",
                "\"vocab_size\": 3 | \"vocab_size\": 3, \"rope_parameters\": {\"rope_type\": \"ntk-by-hand\"} | rotary scaling 'ntk-by-hand' is not supported, only default, dynamic, linear, llama3 and yarn",
                "\"vocab_size\": 3 | \"vocab_size\": 3, \"quantization_config\": {\"quant_method\": \"aqlm\"} | quantized weights ('aqlm') are not supported in this format; use the original model or a GGUF file",
            })
    void whatIsNotSupportedIsSaid(String from, String to, String why) throws IOException {
        Path model = hub(CONFIG.replace(from, to), weights());
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(model.resolve("config.json") + ": " + why);
    }

    @Test
    void anArchitectureThatIsNotNamedFollowsFromTheModelType() throws IOException {
        Checkpoint.open(hub(
                        CONFIG.replace("\"architectures\": [\"LlamaForCausalLM\"]", "\"model_type\": \"llama\""),
                        weights()))
                .close();
    }

    @Test
    void tensorsThatAreMissingOrOfAnotherShapeOrTooManyAreNamed() throws IOException {
        String q = "model.layers.0.self_attn.q_proj.weight";
        Path missing = hub(CONFIG, weights().without(q));
        assertThatThrownBy(() -> Checkpoint.open(missing))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(missing + " has no tensor " + q + " of shape [8, 8]; it is incomplete, download it again");
        Path wrong = hub(CONFIG, weights().floats(q, new float[32], 4, 8));
        assertThatThrownBy(() -> Checkpoint.open(wrong))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(wrong + ": " + q + " must be of shape [8, 8] but is [4, 8]; the configuration and the"
                        + " weights do not belong together");
        String norm = "model.layers.0.self_attn.q_norm.weight";
        Path other = hub(CONFIG, weights().floats(norm, new float[4], 4));
        assertThatThrownBy(() -> Checkpoint.open(other))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(other + ": the tensor " + norm + " does not belong to LlamaForCausalLM with 1 layers; the"
                        + " model is of another kind than it says");
        Path untied = hub(CONFIG.replace("\"tie_word_embeddings\": true, ", ""), weights());
        assertThatThrownBy(() -> Checkpoint.open(untied))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(untied + " has no tensor lm_head.weight of shape [3, 8]; it is incomplete, download it"
                        + " again");
    }

    @Test
    void shardsAreOpenedAsTheIndexSays() throws IOException {
        Path model = sharded(weights(), index -> {});
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.tensors().floats("model.norm.weight")).hasSize(8);
            assertThat(checkpoint.files()).contains(model.resolve("a.safetensors"), model.resolve("b.safetensors"));
        }
    }

    @Test
    void aTensorThatTheIndexDoesNotNameIsNoneOfTheModels() throws IOException {
        SafetensorsBuilder weights = weights().floats("stray", new float[1], 1);
        Path model =
                sharded(weights, index -> index.deleteCharAt(index.length() - 1).append("}"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.tensors().tensors()).doesNotContainKey("stray");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "../a.safetensors | : shard name '../a.safetensors' must be a path within the folder, and no part of it may begin with a dot",
                "/etc/passwd | : shard name '/etc/passwd' must be a path within the folder, and no part of it may begin with a dot",
                ".. | : shard name '..' must be a path within the folder, and no part of it may begin with a dot",
                "c.safetensors | : shard c.safetensors is missing; download it",
                "a.safetensors | : the index puts tensor model.norm.weight into shard a.safetensors, which does not hold it; download the shards again",
            })
    void anIndexThatPointsElsewhereIsRefused(String shard, String why) throws IOException {
        Path model = sharded(weights(), index -> {
            String text = index.toString()
                    .replace("\"model.norm.weight\":\"b.safetensors\"", "\"model.norm.weight\":\"" + shard + "\"");
            index.setLength(0);
            index.append(text);
        });
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(model + why);
    }

    @Test
    void aWholeFileCountsBeforeAStaleIndex() throws IOException {
        Path model = sharded(weights(), index -> {});
        Files.delete(model.resolve("a.safetensors"));
        weights().write(model.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.files()).contains(model.resolve("model.safetensors"));
            assertThat(checkpoint.files()).doesNotContain(model.resolve("b.safetensors"));
        }
    }

    @Test
    void aByteOrderMarkBeforeTheIndexIsPassedOver() throws IOException {
        Path model = sharded(weights(), index -> index.insert(0, '\uFEFF'));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.tensors().tensors()).containsKey("model.norm.weight");
        }
    }

    @Test
    void shardsMayLieInAFolderOfTheFolder() throws IOException {
        Path model = sharded(weights(), index -> {
            String text = index.toString().replace("\"b.safetensors\"", "\"parts/b.safetensors\"");
            index.setLength(0);
            index.append(text);
        });
        Files.createDirectory(model.resolve("parts"));
        Files.move(model.resolve("b.safetensors"), model.resolve("parts/b.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.tensors().tensors()).containsKey("model.norm.weight");
        }
    }

    @Test
    void aNameThatStandsTwiceIsRefusedHoweverItIsSpelled() throws IOException {
        String entry = ":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
        byte[] header = ("{\"ab\"" + entry + ",\"a\\u0062\"" + entry + "}").getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("twice.safetensors");
        Files.write(
                file,
                ByteBuffer.allocate(8 + header.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .put(header)
                        .array());
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("key 'ab' occurs twice");
    }

    @Test
    void foldersThatAreNoModelsAreRefused() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> Checkpoint.open(empty))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(empty + " has no config.json; it is not the folder of a model");
        Files.writeString(empty.resolve("config.json"), CONFIG);
        assertThatThrownBy(() -> Checkpoint.open(empty))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(empty + " holds neither model.safetensors nor model.safetensors.index.json; download the"
                        + " weights");
        Files.writeString(empty.resolve("config.json"), "[".repeat(10_000));
        assertThatThrownBy(() -> Checkpoint.open(empty))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(empty.resolve("config.json") + " is not JSON: ");
        Path absent = folder.resolve("absent");
        assertThatThrownBy(() -> Checkpoint.open(absent))
                .isInstanceOf(StorageException.class)
                .hasMessage(absent + " does not exist; give a GGUF file or a Hugging Face folder");
    }

    @Test
    void aFolderWithOneGgufIsThatModelAndWithSeveralAQuestion() throws IOException {
        Path model = Files.createDirectory(folder.resolve("ggufs"));
        gguf().write(model.resolve("x.gguf"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.path()).isEqualTo(model.resolve("x.gguf"));
            assertThat(checkpoint.files()).containsExactly(model.resolve("x.gguf"));
        }
        gguf().write(model.resolve("y.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(model + " holds several GGUF files, [x.gguf, y.gguf]; give the path of one");
    }

    @Test
    void rowsOfQueriesAndKeysComeBackForRotationOfHalves() {
        Path path = gguf().floats("blk.0.attn_q.bias", new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 8)
                .write(folder.resolve("m.gguf"));
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            assertThat(checkpoint.config().keyValueHeads()).isEqualTo(1);
            // Stored by head as (0, half), (1, half + 1): the first of each pair comes first.
            assertThat(checkpoint.tensors().floats("model.layers.0.self_attn.q_proj.bias"))
                    .containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
            String k = "model.layers.0.self_attn.k_proj.weight"; // row r holds 8r to 8r + 7
            assertThat(checkpoint.tensors().floats(k, 8, 8)).containsExactly(16, 17, 18, 19, 20, 21, 22, 23);
            assertThat(checkpoint.tensors().floats(k, 6, 4)).containsExactly(6, 7, 16, 17);
            assertThat(checkpoint.tensors().bytes(k, 30, 4).get(3))
                    .isEqualTo(checkpoint.tensors().bytes(k, 0, 128).get(33));
            assertThat(checkpoint.tensors().floats("model.layers.0.self_attn.v_proj.weight", 8, 2))
                    .containsExactly(8, 9);
            assertThatThrownBy(() -> checkpoint.tensors().bytes(k, 120, 9))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("bytes 120 to 129 are outside blk.0.attn_k.weight, which has 128");
        }
    }

    @Test
    void rotaryScalingIsReadFromMetadataAndFactors() {
        assertThat(scalingOf(gguf())).isEqualTo(new RotaryScaling.None());
        assertThat(scalingOf(gguf().put("llama.rope.scaling.type", "linear").put("llama.rope.scaling.factor", 4f)))
                .isEqualTo(new RotaryScaling.Linear(4));
        assertThat(scalingOf(gguf().put("llama.rope.scale_linear", 2f))).isEqualTo(new RotaryScaling.Linear(2));
        assertThat(scalingOf(gguf().put("llama.rope.scaling.type", "yarn")
                        .put("llama.rope.scaling.factor", 4f)
                        .put("llama.rope.scaling.original_context_length", 8)))
                .isEqualTo(new RotaryScaling.Yarn(4, 32, 1, 8, true, 0.1 * Math.log(4) + 1));
        assertThat(scalingOf(gguf().floats("rope_freqs.weight", new float[] {1, 8}, 2)))
                .isEqualTo(new RotaryScaling.Factors(List.of(1f, 8f)));
    }

    private RotaryScaling scalingOf(GgufBuilder builder) {
        try (Checkpoint checkpoint = Checkpoint.open(fresh(builder))) {
            return checkpoint.config().rotaryScaling();
        }
    }

    @Test
    void turnEndsOfAGgufFileAreFoundByTextWhateverTheirTypeAndByMetadata() {
        GgufBuilder builder = gguf().put("tokenizer.ggml.tokens", List.of("<|im_end|>", "x", "<|eot_id|>", "</s>"))
                .put("tokenizer.ggml.token_type", List.of(3, 1, 1, 3))
                .put("tokenizer.ggml.eos_token_id", 1)
                .put("tokenizer.ggml.eot_token_id", 99);
        try (Checkpoint checkpoint = Checkpoint.open(fresh(builder))) {
            assertThat(checkpoint.config().vocabularySize()).isEqualTo(3);
            assertThat(checkpoint.endTokens()).containsExactly(0, 1, 2);
        }
    }

    @Test
    void turnEndsOfAFolderAreThoseOfItsConfigurationsItsTokenizersFilesAndItsVocabulary() throws IOException {
        Path model = hub(CONFIG.replace("[2, 77]", "[0, 77]"), weights());
        Files.writeString(model.resolve("tokenizer.json"), """
                {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}, "merges": []}, "added_tokens": []}""");
        assertThat(endTokensOf(model)).containsExactly(0);
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"eos_token\": {\"content\": \"b\"}}");
        assertThat(endTokensOf(model)).containsExactly(0, 1);
        Files.writeString(model.resolve("special_tokens_map.json"), "{\"eos_token\": \"c\"}");
        assertThat(endTokensOf(model)).containsExactly(0, 1, 2);
        Files.writeString(model.resolve("special_tokens_map.json"), "{\"eos_token\": \"unknown\"}");
        assertThat(endTokensOf(model)).containsExactly(0, 1);
        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": 2}");
        assertThat(endTokensOf(model)).containsExactly(0, 1, 2);
    }

    @Test
    void aKnownTurnEndInTheVocabularyOfAFolderEndsATurn() throws IOException {
        Path model = hub(CONFIG.replace("[2, 77]", "0"), weights());
        Files.writeString(model.resolve("tokenizer.json"), """
                {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
                 "added_tokens": [{"id": 2, "content": "<|im_end|>", "single_word": false, "lstrip": false,
                                   "rstrip": false, "normalized": false, "special": false}]}""");
        assertThat(endTokensOf(model)).containsExactly(0, 2);
    }

    private static List<Integer> endTokensOf(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return checkpoint.endTokens();
        }
    }

    @Test
    void aVocabularyOfTiktokenIsReadWithTheEncodingOfTheModel() throws IOException {
        Path model = hub(CONFIG.replace("\"vocab_size\"", "\"model_type\": \"qwen\", \"vocab_size\""), weights());
        Files.writeString(model.resolve("qwen.tiktoken"), "MQ== 0\nMTE= 1\nYQ== 2\nYWE= 3\n");
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                "{\"added_tokens_decoder\": {\"4\": {\"content\": \"<|end|>\", \"special\": true}}}");
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            assertThat(tokenizer.encode("11aa<|end|>", true)).containsExactly(0, 0, 3, 4);
        }
        Files.move(model.resolve("qwen.tiktoken"), model.resolve("own.tiktoken"));
        Files.writeString(
                model.resolve("config.json"),
                CONFIG.replace("\"vocab_size\"", "\"model_type\": \"x\", \"vocab_size\""));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThatThrownBy(checkpoint::tokenizer)
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(model.resolve("own.tiktoken") + ": how a model of the type 'x' cuts text is not known,"
                            + " only the encodings " + Tokenizer.tiktokenEncodings()
                            + "; use the model's tokenizer.json");
        }
    }

    @Test
    void aFolderWithAllPartsOfOneGgufFileIsOpened() throws IOException {
        Path parts = Files.createDirectory(folder.resolve("parts"));
        Path first = gguf().put("split.count", 2).put("split.no", 0).write(parts.resolve("m-00001-of-00002.gguf"));
        Path second = new GgufBuilder()
                .put("split.count", 2)
                .put("split.no", 1)
                .write(parts.resolve("m-00002-of-00002.gguf"));
        try (Checkpoint checkpoint = Checkpoint.open(parts)) {
            assertThat(checkpoint.files()).containsExactly(first, second);
        }
    }

    @Test
    void ggufFilesThatDoNotFitAreRefused() {
        refused(
                gguf().put("general.architecture", "rwkv"),
                ": the architecture 'rwkv' is not supported, only "
                        + Checkpoint.ggufArchitectures().keySet()
                        + "; use another model, or its Hugging Face folder");
        refused(
                gguf().without("general.architecture"),
                " has no general.architecture; it is not a language model, or" + " damaged");
        refused(
                gguf().without("llama.block_count"),
                " has no llama.block_count; it is not a language model, or damaged");
        refused(
                gguf().put("llama.block_count", 1 << 25),
                ": llama.block_count must be in [0, 16777216] but was" + " 33554432");
        refused(
                gguf().put("llama.attention.head_count", 0),
                ": the width 8 must be a multiple of the 0 heads where no" + " head width is given");
        refused(
                gguf().put("llama.attention.head_count_kv", 0),
                ": 2 heads must be a multiple of 0 key/value heads, and" + " the head width 4 even");
        refused(
                gguf().put("llama.rope.dimension_count", 2),
                ": llama.rope.dimension_count 2 must equal the head width 4;" + " nothing else is supported yet");
        refused(
                gguf().put("llama.attention.value_length", 8),
                ": llama.attention.value_length 8 must equal the head" + " width 4; nothing else is supported yet");
        refused(
                gguf().put("split.count", 3),
                " is one of 3 parts but its name does not end in -00001-of-00003.gguf or on; give the parts back their"
                        + " names");
        refused(
                gguf().put("llama.rope.scaling.type", "longrope"),
                ": rotary scaling 'longrope' is not supported, only" + " none, linear and yarn");
        refused(
                gguf().floats("rope_freqs.weight", new float[] {1}, 1),
                ": rope_freqs.weight must have 2 elements, one" + " for each pair, but has 1");
        refused(
                gguf().floats("rope_freqs.weight", new float[] {1, 0}, 2),
                ": rope_freqs.weight must hold numbers above" + " 0 but held 0.0");
        refused(
                gguf().withoutTensor("token_embd.weight"),
                " has no token_embd.weight; it is not a language model, or" + " damaged");
        refused(
                gguf().withoutTensor("blk.0.ffn_up.weight"),
                " has no tensor model.layers.0.mlp.up_proj.weight of shape"
                        + " [6, 8]; it is incomplete, download it again");
        refused(
                gguf().floats("blk.0.attn_q_norm.weight", new float[4], 4),
                ": the tensor model.layers.0.self_attn.q_norm.weight does"
                        + " not belong to LlamaForCausalLM with 1 layers; the model is of another kind than it says");
    }

    private void refused(GgufBuilder builder, String why) {
        Path path = fresh(builder);
        assertThatThrownBy(() -> Checkpoint.open(path))
                .isInstanceOf(PolluxException.class)
                .hasMessage(path + why);
    }

    @Test
    void mutilatedConfigurationsAndMetadataGiveClearErrors() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] config = CONFIG.getBytes(StandardCharsets.UTF_8);
        byte[] gguf = gguf().toBytes();
        for (int run = 0; run < 600; run++) {
            Path model = folder.resolve("fuzz" + run);
            Files.createDirectory(model);
            if (run % 2 == 0) {
                Files.write(model.resolve("config.json"), damaged(config, random));
                weights().write(model.resolve("model.safetensors"));
            } else {
                Files.write(model.resolve("m.gguf"), damaged(gguf, random));
            }
            try {
                Checkpoint.open(model).close();
            } catch (PolluxException e) {
                assertThat(e).as("seed %d, run %d", seed, run).hasMessageContaining(model.toString());
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", run " + run, e);
            }
        }
    }

    private static byte[] damaged(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        for (int flips = random.nextInt(3); flips >= 0; flips--) {
            int at = random.nextInt(bytes.length);
            bytes[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : bytes[at] ^ 1 << random.nextInt(8));
        }
        return bytes;
    }

    private Path hub(String config, SafetensorsBuilder weights) throws IOException {
        Path model = freshFolder();
        Files.writeString(model.resolve("config.json"), config);
        weights.write(model.resolve("model.safetensors"));
        return model;
    }

    /** All but the final norm in one shard, the norm in another. */
    private Path sharded(SafetensorsBuilder weights, Consumer<StringBuilder> change) throws IOException {
        Path model = freshFolder();
        Files.writeString(model.resolve("config.json"), CONFIG);
        weights.without("model.norm.weight").write(model.resolve("a.safetensors"));
        new SafetensorsBuilder().floats("model.norm.weight", new float[8], 8).write(model.resolve("b.safetensors"));
        StringBuilder index = new StringBuilder("{\"weight_map\":{\"model.norm.weight\":\"b.safetensors\"");
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve("a.safetensors"))) {
            file.tensors().keySet().stream()
                    .filter(name -> name.startsWith("model."))
                    .forEach(name -> index.append(",\"").append(name).append("\":\"a.safetensors\""));
        }
        index.append("}}");
        change.accept(index);
        Files.writeString(model.resolve("model.safetensors.index.json"), index);
        return model;
    }

    private Path freshFolder() throws IOException {
        Path parent = Files.createTempDirectory(folder, "m");
        return Files.createDirectory(parent.resolve("model"));
    }

    private Path fresh(GgufBuilder builder) {
        try {
            return builder.write(Files.createTempFile(folder, "m", ".gguf"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SafetensorsBuilder weights() {
        String at = "model.layers.0.";
        return new SafetensorsBuilder()
                .floats("model.embed_tokens.weight", new float[24], 3, 8)
                .floats("model.norm.weight", new float[8], 8)
                .floats(at + "input_layernorm.weight", new float[8], 8)
                .floats(at + "post_attention_layernorm.weight", new float[8], 8)
                .floats(at + "self_attn.q_proj.weight", new float[64], 8, 8)
                .floats(at + "self_attn.k_proj.weight", new float[32], 4, 8)
                .floats(at + "self_attn.v_proj.weight", new float[32], 4, 8)
                .floats(at + "self_attn.o_proj.weight", new float[64], 8, 8)
                .floats(at + "mlp.gate_proj.weight", new float[48], 6, 8)
                .floats(at + "mlp.up_proj.weight", new float[48], 6, 8)
                .tensor(at + "mlp.down_proj.weight", DType.BF16, new byte[96], 8, 6);
    }

    private static GgufBuilder gguf() {
        float[] counted = new float[64];
        for (int i = 0; i < counted.length; i++) {
            counted[i] = i;
        }
        float[] keys = Arrays.copyOf(counted, 32);
        return new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.embedding_length", 8)
                .put("llama.block_count", 1)
                .put("llama.attention.head_count", 2)
                .put("llama.attention.head_count_kv", 1)
                .put("llama.feed_forward_length", 6)
                .put("llama.context_length", 16)
                .floats("token_embd.weight", new float[24], 3, 8)
                .floats("output_norm.weight", new float[8], 8)
                .floats("blk.0.attn_norm.weight", new float[8], 8)
                .floats("blk.0.ffn_norm.weight", new float[8], 8)
                .floats("blk.0.attn_q.weight", counted, 8, 8)
                .floats("blk.0.attn_k.weight", keys, 4, 8)
                .floats("blk.0.attn_v.weight", keys, 4, 8)
                .floats("blk.0.attn_output.weight", counted, 8, 8)
                .floats("blk.0.ffn_gate.weight", new float[48], 6, 8)
                .floats("blk.0.ffn_up.weight", new float[48], 6, 8)
                .floats("blk.0.ffn_down.weight", new float[48], 8, 6);
    }
}
