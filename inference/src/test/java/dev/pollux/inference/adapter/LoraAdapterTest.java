package dev.pollux.inference.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as they are read and written. */
@NoLeaks
class LoraAdapterTest {

    private static final String PEFT = "base_model.model.";
    private static final String Q = "layers.0.q";

    @TempDir
    Path temp;

    private Path adapter(String settings, SafetensorsBuilder file) throws IOException {
        Path folder = Files.createDirectories(temp.resolve("adapter"));
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\": 1, \"lora_alpha\": 2" + settings + "}");
        Files.write(folder.resolve("adapter_model.safetensors"), file.toBytes());
        return folder;
    }

    private static SafetensorsBuilder factors(String module) {
        return factors(new SafetensorsBuilder(), module);
    }

    private static SafetensorsBuilder factors(SafetensorsBuilder file, String module) {
        return file.floats(PEFT + module + ".lora_A.weight", new float[] {1, 2}, 1, 2)
                .floats(PEFT + module + ".lora_B.weight", new float[] {3, 4, 5}, 3, 1);
    }

    private static float[] values(TensorSource source) {
        float[] values = new float[(int) source.elements()];
        source.ready().read(0, values.length, values, 0);
        return values;
    }

    private void assertRefused(String settings, SafetensorsBuilder file, String message) throws IOException {
        Path folder = adapter(settings, file);
        assertThatThrownBy(() -> LoraAdapter.load(folder).close())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + folder + message);
    }

    @Test
    void factorsHaveThePublishedScale() throws IOException {
        Path folder = adapter(", \"alpha_pattern\": {\"k\": 6}", factors(factors(Q), "layers.0.k"));
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            assertThat(adapter.name()).isEqualTo("adapter");
            assertThat(adapter.targets()).containsExactly("layers.0.k.weight", "layers.0.q.weight");
            assertThat(adapter.otherThanFactors()).isEmpty();
            LowRankChange q = adapter.factors("layers.0.q.weight").orElseThrow();
            assertThat(List.of(q.rank(), q.rows(), q.columns())).containsExactly(1, 3, 2);
            assertThat(q.scale()).isEqualTo(2);
            assertThat(values(q.a())).containsExactly(1, 2);
            assertThat(values(q.b())).containsExactly(3, 4, 5);
            assertThat(adapter.factors("layers.0.k.weight").orElseThrow().scale())
                    .isEqualTo(6);
            assertThat(adapter.factors("layers.1.k.weight")).isEmpty();
        }
    }

    /** Each kind of change, with its types: what is saved is what was loaded, tensor by tensor, and the settings too. */
    @Test
    void whatIsSavedIsWhatWasLoaded() throws IOException {
        SafetensorsBuilder file = factors(Q)
                .floats(PEFT + Q + ".lora_magnitude_vector", new float[] {1, 2, 3}, 3)
                .floats(PEFT + "layers.0.v.lora_A.weight", new float[] {1, 2, 3, 4}, 2, 2)
                .floats(PEFT + "layers.0.v.lora_B.weight", new float[] {1, 2}, 1, 2)
                .floats(PEFT + "layers.0.v.lora_B.bias", new float[] {7}, 1)
                .floats(PEFT + "layers.0.v.lora_magnitude_vector", new float[] {1}, 1)
                .floats(PEFT + "embed_tokens.lora_embedding_A", new float[] {1, 2, 3}, 1, 3)
                .floats(PEFT + "embed_tokens.lora_embedding_B", new float[] {1, 2}, 2, 1)
                .floats(PEFT + "embed_tokens.lora_magnitude_vector", new float[] {1, 2}, 2)
                .floats(PEFT + "embed_tokens.base_layer.weight", new float[6], 3, 2)
                .floats(PEFT + "embed_tokens.token_adapter.trainable_tokens_delta", new float[] {8, 9}, 1, 2)
                .floats(PEFT + "layers.0.o.base_layer.bias", new float[] {1, 2}, 2)
                .tensor(PEFT + "norm.weight", DType.BF16, new byte[] {0, 64, 0, 65}, 2);
        String settings =
                ", \"use_dora\": true, \"lora_bias\": true, \"rank_pattern\": {\"v\": 2}, \"bias\": \"lora_only\","
                        + " \"modules_to_save\": [\"norm\"], \"trainable_token_indices\": {\"embed_tokens\": [1]},"
                        + " \"peft_version\": \"0.21.0\", \"target_modules\": [\"q\", \"v\", \"embed_tokens\"],"
                        + " \"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\"";
        Path folder = adapter(settings, file);
        Path saved = temp.resolve("saved");

        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            adapter.save(saved);
        }

        assertThat(JsonNode.parse(Files.readString(saved.resolve("adapter_config.json"))))
                .isEqualTo(JsonNode.parse(Files.readString(folder.resolve("adapter_config.json"))));
        assertSameTensors(folder, saved);
        try (LoraAdapter again = LoraAdapter.load(saved)) {
            assertThat(values(again.magnitude("layers.0.q.weight").orElseThrow()))
                    .containsExactly(1, 2, 3);
            assertThat(values(again.addedBias("layers.0.v.bias").orElseThrow())).containsExactly(7);
            assertThat(again.biasScale("layers.0.v.bias")).isEqualTo(1);
            assertThat(values(again.base("layers.0.o.bias").orElseThrow())).containsExactly(1, 2);
            assertThat(values(again.whole("norm.weight").orElseThrow())).containsExactly(2, 8);
            TokenRows rows = again.tokens("embed_tokens.weight").orElseThrow();
            assertThat(rows.tokens()).containsExactly(1);
            assertThat(values(rows.values())).containsExactly(8, 9);
            assertThat(again.isEmbedding("embed_tokens.weight")).isTrue();
            assertThat(again.isEmbedding("layers.0.q.weight")).isFalse();
            assertThat(again.otherThanFactors()).hasValue("DoRA magnitudes of embed_tokens.weight");
        }
    }

    private static void assertSameTensors(Path one, Path other) {
        try (SafetensorsFile a = SafetensorsFile.open(one.resolve("adapter_model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(other.resolve("adapter_model.safetensors"))) {
            assertThat(b.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(a.tensors().keySet());
            a.tensors().forEach((name, info) -> {
                assertThat(b.info(name).type()).as(name).isEqualTo(info.type());
                assertThat(b.info(name).shape()).as(name).isEqualTo(info.shape());
                assertThat(b.bytes(name, 0, (int) info.byteLength())).as(name).isEqualTo(a.bytes(name, 0, (int)
                        info.byteLength()));
            });
        }
    }

    @Test
    void rankStabilizedScalesComeBack() throws IOException {
        Path folder = adapter(", \"use_rslora\": true", factors(Q));
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            adapter.save(temp.resolve("saved"));
        }
        try (LoraAdapter again = LoraAdapter.load(temp.resolve("saved"))) {
            assertThat(again.factors(Q + ".weight").orElseThrow().scale()).isEqualTo(2);
            assertThat(again.settings().is("use_rslora")).isTrue();
        }
    }

    @Test
    void anAdapterOfAGgufFileIsSavedForPeft() {
        Path file = new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 6f)
                .floats("blk.0.ffn_up.weight.lora_a", new float[] {1, 2, 3, 4}, 2, 2)
                .floats("blk.0.ffn_up.weight.lora_b", new float[] {1, 2, 3, 4, 5, 6}, 3, 2)
                .floats("token_embd.weight.lora_a", new float[] {1, 2, 3}, 3, 1)
                .floats("token_embd.weight.lora_b", new float[] {1, 10}, 2, 1)
                .write(temp.resolve("adapter.gguf"));
        Path saved = temp.resolve("saved");
        try (LoraAdapter adapter = LoraAdapter.load(file, 4)) {
            adapter.save(saved);
        }
        String up = "model.layers.0.mlp.up_proj.weight";
        String embedding = "model.embed_tokens.weight";
        try (LoraAdapter again = LoraAdapter.load(saved)) {
            assertThat(again.targets()).containsExactly(embedding, up);
            assertThat(again.factors(up).orElseThrow().scale()).isEqualTo(3);
            assertThat(values(again.factors(up).orElseThrow().b())).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(again.factors(embedding).orElseThrow().scale()).isEqualTo(6);
            assertThat(again.isEmbedding(embedding)).isTrue();
        }
    }

    @Test
    void aWriterCompletesTheSettings() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("written"));
        HeldTensor a = new HeldTensor(List.of(2L, 1L), new float[] {1, 2}, "a");
        HeldTensor b = new HeldTensor(List.of(1L, 2L), new float[] {1, 2}, "b");
        HeldTensor one = new HeldTensor(List.of(1L, 1L), new float[] {Float.NaN}, "one");
        HeldTensor bias = new HeldTensor(List.of(1L), new float[] {5}, "bias");
        List<String> notices;
        try (LoraWriter writer = LoraWriter.create(
                folder, List.of("model.x.q.weight", "x.q.weight", "v.weight"), List.of("model.norm.weight"))) {
            writer.factors("model.x.q.weight", new LowRankChange(a, b, 0.75, false));
            writer.factors("x.q.weight", new LowRankChange(one, one, 1.5, false));
            writer.factors("v.weight", new LowRankChange(one, one, 0.25, false));
            writer.addedBias("v.bias", bias);
            writer.whole("model.norm.weight", DType.F32, bias);
            notices = writer.finish(PeftConfig.builder().baseModel("base").build());
        }
        assertThat(JsonNode.parse(Files.readString(folder.resolve("adapter_config.json"))))
                .isEqualTo(JsonNode.parse("""
                    {"base_model_name_or_path": "base", "peft_type": "LORA", "task_type": "CAUSAL_LM",
                     "r": 2, "lora_alpha": 1.5, "rank_pattern": {"v": 1, "^x.q": 1}, "alpha_pattern": {"v": 0.25},
                     "target_modules": ["model.x.q", "v", "x.q"], "lora_bias": true, "modules_to_save": ["norm"]}
                    """));
        assertThat(notices)
                .containsExactly("the adapter holds 4 values that are not finite (NaN or infinite), in"
                        + " base_model.model.x.q.lora_A.weight (and 3 more); it will not compute");
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            assertThat(adapter.factors("model.x.q.weight").orElseThrow().scale())
                    .isEqualTo(0.75);
            assertThat(adapter.factors("x.q.weight").orElseThrow().scale()).isEqualTo(1.5);
            assertThat(adapter.factors("v.weight").orElseThrow().scale()).isEqualTo(0.25);
        }
    }

    /** Any ranks and scales, with names of which one ends as another: what is written is read, whatever patterns that takes. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anyRanksAndScalesComeBack(boolean rankStabilized) throws IOException {
        long seed = System.nanoTime();
        System.out.println("LoraAdapterTest seed " + seed);
        Random random = new Random(seed);
        Map<String, LowRankChange> changes = new TreeMap<>();
        for (String prefix : List.of("", "model.", "model.layers.0.", "x.model.layers.0.", "layers.0.", "layers.10.")) {
            for (String name : List.of("q.weight", "up.weight")) {
                long rank = 1L + random.nextInt(3);
                double scale = random.nextBoolean() ? 1 + random.nextInt(3) : random.nextDouble();
                HeldTensor a = new HeldTensor(List.of(rank, 1L), new float[(int) rank], "a");
                HeldTensor b = new HeldTensor(List.of(1L, rank), new float[(int) rank], "b");
                changes.put(prefix + name, new LowRankChange(a, b, scale, false));
            }
        }
        Path folder = Files.createDirectories(temp.resolve("written"));
        try (LoraWriter writer = LoraWriter.create(folder, changes.keySet(), List.of())) {
            changes.forEach(writer::factors);
            writer.finish(PeftConfig.builder().set("use_rslora", rankStabilized).build());
        }
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            assertThat(adapter.targets()).containsExactlyElementsOf(changes.keySet());
            changes.forEach((matrix, change) -> {
                LowRankChange found = adapter.factors(matrix).orElseThrow();
                assertThat(found.rank()).as(matrix).isEqualTo(change.rank());
                assertThat(found.scale()).as(matrix).isCloseTo(change.scale(), within(1e-15 * change.scale()));
            });
            assertThat(adapter.settings().givesRanks(ranks(changes))).isTrue();
        }
    }

    private static Map<String, Integer> ranks(Map<String, LowRankChange> changes) {
        Map<String, Integer> ranks = new TreeMap<>();
        changes.forEach((matrix, change) -> ranks.put(PeftTensor.module(matrix), change.rank()));
        return ranks;
    }

    @Test
    void nothingIsSavedOverAFolder() throws IOException {
        Path folder = adapter("", factors(Q));
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            assertThatThrownBy(() -> adapter.save(folder))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(folder + " must not exist; choose another folder or delete it");
        }
    }

    @Test
    void missingTensorsAreNamed() throws IOException {
        assertRefused(
                "",
                new SafetensorsBuilder().floats(PEFT + Q + ".lora_A.weight", new float[] {1, 2}, 1, 2),
                " lacks factor B of " + Q + ".weight; download it again");
        assertRefused(
                ", \"use_dora\": true",
                factors(Q),
                " uses DoRA but has no magnitude vector for " + Q + ".weight; download it again");
        assertRefused(
                ", \"modules_to_save\": [\"norm\"]",
                factors(Q),
                " has modules_to_save but holds no module as a whole; download it again");
        assertRefused(
                ", \"trainable_token_indices\": [1]",
                factors(Q),
                " has trainable_token_indices but holds no rows of tokens; download it again");
    }

    @Test
    void surplusTensorsAreNamed() throws IOException {
        assertRefused(
                "",
                factors(Q).floats(PEFT + "k.lora_magnitude_vector", new float[1], 1),
                " holds " + PEFT + "k.lora_magnitude_vector but no factors of k.weight; download it again");
        assertRefused(
                "",
                factors(Q).floats(PEFT + "k.lora_B.bias", new float[1], 1),
                " holds " + PEFT + "k.lora_B.bias but no factors of its module; download it again");
        assertRefused(
                "",
                factors(Q).floats(PEFT + Q + ".lora_A.other.weight", new float[2], 1, 2),
                " holds " + PEFT + Q + ".lora_A.weight and " + PEFT + Q
                        + ".lora_A.other.weight, two tensors of one kind" + " for " + Q
                        + ".weight; save one adapter alone");
        Path folder = adapter("", factors(Q).floats(PEFT + Q + ".lora_C.weight", new float[1], 1));
        assertThatThrownBy(() -> LoraAdapter.load(folder).close())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "The adapter " + folder + " holds " + PEFT + Q + ".lora_C.weight, which belongs to no kind of"
                                + " change that can be read; save it as a plain LoRA adapter");
    }

    @Test
    void shapesThatDoNotFitAreNamed() throws IOException {
        assertRefused(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + Q + ".lora_A.weight", new float[4], 2, 2)
                        .floats(PEFT + Q + ".lora_B.weight", new float[3], 3, 1),
                ": the factors of " + Q + ".weight must be (rank, columns) and (rows, rank), with a rank in [1, 16384],"
                        + " but are [2, 2] and [3, 1]; download it again");
        assertRefused(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + Q + ".lora_A.weight", new float[0], 0, 2)
                        .floats(PEFT + Q + ".lora_B.weight", new float[0], 3, 0),
                ": the factors of " + Q + ".weight must be (rank, columns) and (rows, rank), with a rank in [1, 16384],"
                        + " but are [0, 2] and [3, 0]; download it again");
        assertRefused(
                ", \"use_dora\": true",
                factors(Q).floats(PEFT + Q + ".lora_magnitude_vector", new float[2], 2),
                ": " + PEFT + Q + ".lora_magnitude_vector must hold 3 floats but is F32 [2]; download it again");
        assertRefused(
                ", \"lora_bias\": true",
                factors(Q).floats(PEFT + Q + ".lora_B.bias", new float[2], 2),
                ": " + PEFT + Q + ".lora_B.bias must hold 3 floats but is F32 [2]; download it again");
        assertRefused(
                ", \"trainable_token_indices\": [1, 2]",
                new SafetensorsBuilder()
                        .floats(PEFT + "embed_tokens.token_adapter.trainable_tokens_delta", new float[2], 1, 2),
                ": " + PEFT + "embed_tokens.token_adapter.trainable_tokens_delta must hold a row for each of 2 tokens"
                        + " (trainable_token_indices) but is F32 [1, 2]; download it again");
        Path folder = adapter(
                "",
                new SafetensorsBuilder()
                        .floats(PEFT + Q + ".lora_A.weight", new float[4], 2, 1, 2)
                        .floats(PEFT + Q + ".lora_B.weight", new float[6], 2, 3, 1));
        assertThatThrownBy(() -> LoraAdapter.load(folder).close())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "The adapter " + folder + ": " + PEFT + Q + ".lora_A.weight must be a matrix but is F32 [2, 1,"
                                + " 2]; factors of stacked experts are not supported");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"lora_alpha\": 1e999 | lora_alpha",
                "\"lora_alpha\": \"much\" | lora_alpha",
                "\"alpha_pattern\": {\"q\": -1e999} | alpha_pattern q",
                "\"alpha_pattern\": {\"q\": null} | alpha_pattern q"
            })
    void anAlphaThatIsNoNumberIsRefused(String setting, String named) throws IOException {
        Path folder = adapter("", factors(Q));
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\": 1, " + setting + "}");
        assertThatThrownBy(() -> LoraAdapter.load(folder).close())
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("The adapter " + folder + " has " + named + " ")
                .hasMessageEndingWith(", which must be a finite number; download it again");
    }

    @ParameterizedTest
    @ValueSource(strings = {"NaN", "Infinity", "[1", "nul"})
    void settingsThatAreNoJsonAreRefused(String value) throws IOException {
        Path folder = adapter("", factors(Q));
        Files.writeString(folder.resolve("adapter_config.json"), "{\"lora_alpha\": " + value + "}");
        assertThatThrownBy(() -> LoraAdapter.load(folder).close()).isInstanceOf(MalformedFileException.class);
    }

    @Test
    void anAlphaOfAGgufFileMustBeANumber() {
        Path file = new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", Float.NaN)
                .floats("blk.0.ffn_up.weight.lora_a", new float[] {1, 2}, 1, 2)
                .floats("blk.0.ffn_up.weight.lora_b", new float[] {1, 2, 3}, 3, 1)
                .write(temp.resolve("adapter.gguf"));
        assertThatThrownBy(() -> LoraAdapter.load(file, 4).close())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        file + ": adapter.lora.alpha must be a finite number but is NaN; download the adapter again");
        assertThatThrownBy(() -> LoraAdapter.load(file).close())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(file
                        + " is a file, and an adapter in a GGUF file can be read only for a model with a known width"
                        + " of a head; use its PEFT folder");
    }

    /** Names of files and tensors in an adapter are names alone: nothing is opened or written by them. */
    @Test
    void namesThatLookLikePathsStayNames() throws IOException {
        Path folder = adapter(
                ", \"base_model_name_or_path\": \"../../base\", \"revision\": \"../x\"", factors("../../outside/q"));
        try (LoraAdapter adapter = LoraAdapter.load(folder)) {
            assertThat(adapter.targets()).containsExactly("../../outside/q.weight");
            adapter.save(temp.resolve("deep/saved"));
        }
        try (var files = Files.walk(temp)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> temp.relativize(file).toString()))
                    .containsExactlyInAnyOrder(
                            "adapter/adapter_config.json",
                            "adapter/adapter_model.safetensors",
                            "deep/saved/adapter_config.json",
                            "deep/saved/adapter_model.safetensors");
        }
    }

    @Test
    void aFolderWithoutAnAdapterIsNamed() throws IOException {
        Path nowhere = temp.resolve("nowhere");
        assertThatThrownBy(() -> LoraAdapter.load(nowhere).close())
                .isInstanceOf(StorageException.class)
                .hasMessage("There is no adapter at " + nowhere
                        + "; give a folder with adapter_config.json, or a GGUF file of an adapter");
        Path empty = Files.createDirectories(temp.resolve("empty"));
        assertThatThrownBy(() -> LoraAdapter.load(empty).close())
                .isInstanceOf(StorageException.class)
                .hasMessage("There is no adapter in " + empty + ": it has no adapter_config.json; download it too");
        Files.writeString(empty.resolve("adapter_config.json"), "{}");
        assertThatThrownBy(() -> LoraAdapter.load(empty).close())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + empty + " has no adapter_model.safetensors; download or convert it");
        Files.writeString(empty.resolve("adapter_config.json"), "{\"peft_type\": \"LOHA\"}");
        assertThatThrownBy(() -> LoraAdapter.load(empty).close())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "The adapter " + empty + " has peft_type LOHA, which is not LoRA; only LoRA and DoRA factors,"
                                + " whole modules and trained tokens can be read");
    }

    @Test
    void aMatrixWithItsFactorsIsPassedOverUnlessItHasGrown() throws IOException {
        SafetensorsBuilder file = factors("lm_head")
                .floats(PEFT + "lm_head.base_layer.weight", new float[6], 3, 2)
                .floats(PEFT + "embed_tokens.lora_embedding_A", new float[] {1, 2, 3}, 1, 3)
                .floats(PEFT + "embed_tokens.lora_embedding_B", new float[] {1, 2}, 2, 1)
                .floats(PEFT + "embed_tokens.base_layer.weight", new float[6], 3, 2);
        try (LoraAdapter adapter = LoraAdapter.load(adapter("", file))) {
            assertThat(adapter.otherThanFactors()).isEmpty();
        }
        Path grown =
                adapter("", factors("lm_head").floats(PEFT + "embed_tokens.base_layer.weight", new float[8], 4, 2));
        try (LoraAdapter adapter = LoraAdapter.load(grown)) {
            assertThat(adapter.otherThanFactors()).hasValue("embed_tokens.weight of shape [4, 2] as a whole");
        }
    }

    @Test
    void matricesHaveTheNamesOfTheModelTheyAreAddedTo() throws IOException {
        Path one = adapter("", factors(Q));
        try (LoraAdapter adapter = LoraAdapter.load(one)) {
            assertThat(adapter.factorsNamed(Set.of("model.layers.0.q.weight")))
                    .containsOnlyKeys("model.layers.0.q.weight");
        }
        Path two = adapter("", factors(factors(Q), "transformer." + Q));
        try (LoraAdapter adapter = LoraAdapter.load(two)) {
            assertThatThrownBy(() -> adapter.factorsNamed(Set.of("model.layers.0.q.weight")))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "The adapter adapter has two pairs of factors for model.layers.0.q.weight; download the adapter"
                                    + " again");
        }
    }
}
