package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Adapters beside a running model give what they give merged into it. */
@NoLeaks
class AdaptersTest {

    private static final double LOGITS = 1e-4; // the reference's own tolerance
    private static final TinyDecoder LLAMA = TinyDecoder.llama(1);
    private static final int[] PROBE = {32, 40, 62, 50, 35, 8};

    @TempDir
    Path temp;

    private static Path root() {
        return ReferenceData.golden("finetune");
    }

    /** An adapter of the model of the tests below, of rank 4 and a scale of 2. */
    private Path adapter(String name, String... projections) {
        return LLAMA.writeAdapter(temp.resolve(name), 4, 8, List.of(projections));
    }

    private DecoderModel open(Path base) {
        Path target = temp.resolve(base.getFileName() + ".onnx");
        if (!Files.exists(target)) {
            try (Checkpoint checkpoint = Checkpoint.open(base)) {
                ExportOptions options =
                        ExportOptions.builder().weights(WeightFormat.FLOAT).build();
                DecoderExport.export(checkpoint, target, options).run();
            }
        }
        return DecoderModel.open(
                target, EngineOptions.builder().threads(1).adapters(true).build());
    }

    @TestFactory
    Stream<DynamicTest> everyAdapterOfFactorsGivesTheReferenceLogitsAndEveryOtherIsRefused() throws IOException {
        JsonNode index = JsonNode.parse(Files.readString(root().resolve("adapters/index.json")));
        return StreamSupport.stream(index.spliterator(), false)
                .filter(c -> c.has("case"))
                .map(c -> DynamicTest.dynamicTest(c.path("case").asString(), () -> check(c)));
    }

    private void check(JsonNode c) throws IOException {
        Path folder = root().resolve("adapters").resolve(c.path("case").asString());
        JsonNode config = JsonNode.parse(Files.readString(folder.resolve("adapter_config.json")));
        boolean plain = !config.path("use_dora").asBoolean(false)
                && !config.path("lora_bias").asBoolean(false)
                && config.path("bias").asString("none").equals("none")
                && config.path("modules_to_save").isEmpty()
                && config.path("trainable_token_indices").isEmpty();
        int[] probe = StreamSupport.stream(c.path("probe").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        try (DecoderModel model = open(root().resolve(c.path("base").asString()));
                SafetensorsFile expected = SafetensorsFile.open(folder.resolve("logits.safetensors"))) {
            if (!plain) {
                assertThatThrownBy(() -> model.load(Map.of(folder, 1.0)))
                        .isInstanceOf(UnsupportedModelException.class)
                        .hasMessageEndingWith("merge it into the model first (pollux merge)");
                return;
            }
            try (LoadedAdapter adapter = model.load(Map.of(folder, 1.0));
                    DecoderSequence adapted = model.sequence(adapter);
                    DecoderSequence base = model.sequence()) {
                assertThat(logits(adapted, probe)).containsExactly(expected.floats("adapter"), within((float) LOGITS));
                assertThat(logits(adapted, probe)).containsExactly(expected.floats("merged"), within((float) LOGITS));
                assertThat(logits(base, probe)).containsExactly(expected.floats("base"), within((float) LOGITS));
            }
        }
    }

    /** (tokens · vocabulary), read anew. */
    private static float[] logits(DecoderSequence sequence, int... ids) {
        sequence.truncate(0);
        FloatBuffer all = FloatBuffer.allocate(1 << 20);
        sequence.append(ids, (position, row) -> all.put(row.duplicate()));
        float[] values = new float[all.flip().limit()];
        all.get(values);
        return values;
    }

    @Test
    void adaptersAreScaledAndAddedUp() throws IOException {
        Path one = adapter("queries", "self_attn.q_proj", "self_attn.v_proj");
        Path half = scaledCopy(one, "half", 4);
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
                LoadedAdapter whole = model.load(Map.of(one, 1.0));
                LoadedAdapter halfOfIt = model.load(Map.of(one, 0.5));
                LoadedAdapter ofHalfAlpha = model.load(Map.of(half, 1.0));
                LoadedAdapter sum = model.load(Map.of(one, 0.5, half, 1.0));
                LoadedAdapter nothing = model.load(Map.of(one, 0.0))) {
            assertThat(with(model, halfOfIt)).containsExactly(with(model, ofHalfAlpha), within(1e-5f));
            assertThat(with(model, sum)).containsExactly(with(model, whole), within(1e-5f));
            try (DecoderSequence base = model.sequence()) {
                assertThat(with(model, nothing)).containsExactly(logits(base, PROBE), within(1e-5f));
                assertThat(with(model, whole)).isNotEqualTo(logits(base, PROBE));
            }
        }
    }

    private static float[] with(DecoderModel model, LoadedAdapter adapter) {
        try (DecoderSequence sequence = model.sequence(adapter)) {
            return logits(sequence, PROBE);
        }
    }

    private Path scaledCopy(Path adapter, String name, int alpha) throws IOException {
        Path copy = Files.createDirectories(temp.resolve(name));
        Files.copy(adapter.resolve("adapter_model.safetensors"), copy.resolve("adapter_model.safetensors"));
        String config = Files.readString(adapter.resolve("adapter_config.json"));
        Files.writeString(
                copy.resolve("adapter_config.json"), config.replace("\"lora_alpha\": 8", "\"lora_alpha\": " + alpha));
        return copy;
    }

    @Test
    void aGgufAdapterGivesWhatItsPeftFolderGives() throws IOException {
        Path peft = adapter("queries", "self_attn.q_proj", "self_attn.v_proj");
        Path gguf = gguf(peft, TinyDecoder.HEAD);
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
                LoadedAdapter fromFolder = model.load(Map.of(peft, 1.0));
                LoadedAdapter fromFile = model.load(Map.of(gguf, 1.0))) {
            assertThat(with(model, fromFile)).containsExactly(with(model, fromFolder));
        }
    }

    @Test
    void aGgufAdapterOfAnEmbeddingHasTheFactorsOfItsPeftFolder() {
        Path gguf = new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 4f)
                .floats("token_embd.weight.lora_a", new float[] {1, 2, 3, 4, 5, 6}, 3, 2) // (tokens, rank)
                .floats("token_embd.weight.lora_b", new float[] {7, 8, 9, 10, 11, 12, 13, 14}, 4, 2)
                .write(temp.resolve("embedding.gguf"));
        try (LoraAdapter adapter = LoraAdapter.load(gguf, 8)) {
            LowRankChange change = adapter.factors("model.embed_tokens.weight").orElseThrow();
            assertThat(change.embedding()).isTrue();
            assertThat(change.rank()).isEqualTo(2);
            assertThat(change.rows()).isEqualTo(4);
            assertThat(change.columns()).isEqualTo(3);
            assertThat(floats(change.a())).containsExactly(1, 3, 5, 2, 4, 6);
            assertThat(floats(change.b())).containsExactly(7, 8, 9, 10, 11, 12, 13, 14);
            assertThat(change.scale()).isEqualTo(2);
        }
    }

    @Test
    void aGgufAdapterWithoutARankIsRefused() {
        for (String name : List.of("token_embd.weight", "blk.0.ffn_down.weight")) {
            Path gguf = new GgufBuilder()
                    .put("general.type", "adapter")
                    .put("general.architecture", "llama")
                    .put("adapter.type", "lora")
                    .floats(
                            name + ".lora_a",
                            new float[0],
                            name.startsWith("token") ? 3 : 0,
                            name.startsWith("token") ? 0 : 3)
                    .floats(name + ".lora_b", new float[0], 4, 0)
                    .write(temp.resolve(name + ".gguf"));
            assertThatThrownBy(() -> LoraAdapter.load(gguf, 8).close()).isInstanceOf(MalformedFileException.class);
        }
    }

    /** As llama.cpp's converter writes it: rows of q and k per head in neighbouring pairs. */
    private Path gguf(Path peft, int headWidth) {
        Map<String, String> names = Map.of(
                "self_attn.q_proj", "attn_q",
                "self_attn.k_proj", "attn_k",
                "self_attn.v_proj", "attn_v",
                "self_attn.o_proj", "attn_output",
                "mlp.gate_proj", "ffn_gate",
                "mlp.up_proj", "ffn_up",
                "mlp.down_proj", "ffn_down");
        GgufBuilder builder = new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 8f);
        try (LoraAdapter adapter = LoraAdapter.load(peft)) {
            for (String matrix : adapter.targets()) {
                LowRankChange f = adapter.factors(matrix).orElseThrow();
                String[] parts = matrix.split("\\.", 4); // model.layers.N.rest
                String module = parts[3].replace(".weight", "");
                float[] b = floats(f.b());
                if (module.endsWith("q_proj") || module.endsWith("k_proj")) {
                    b = inPairs(b, f.rank(), headWidth);
                }
                String name = "blk." + parts[2] + "." + names.get(module) + ".weight";
                builder.floats(name + ".lora_a", floats(f.a()), f.rank(), f.columns());
                builder.floats(name + ".lora_b", b, f.rows(), f.rank());
            }
        }
        return builder.write(temp.resolve("adapter.gguf"));
    }

    private static float[] floats(TensorSource source) {
        float[] values = new float[(int) source.elements()];
        source.read(0, values.length, values, 0);
        return values;
    }

    private static float[] inPairs(float[] rows, int width, int head) {
        float[] out = new float[rows.length];
        for (int row = 0; row < rows.length / width; row++) {
            int within = row % head;
            int to = row - within + within % (head / 2) * 2 + within / (head / 2);
            System.arraycopy(rows, row * width, out, to * width, width);
        }
        return out;
    }

    @Test
    void aSequenceIsNotContinuedWithAnotherAdapter() {
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
                LoadedAdapter adapter =
                        model.load(Map.of(adapter("queries", "self_attn.q_proj", "self_attn.v_proj"), 1.0))) {
            float[] alone = with(model, adapter);
            try (DecoderSequence base = model.sequence()) {
                base.append(PROBE);
            }
            assertThat(with(model, adapter)).containsExactly(alone);
        }
    }

    @Test
    void aClosedAdapterEndsItsSequencesOnly() {
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
                DecoderSequence base = model.sequence()) {
            LoadedAdapter adapter = model.load(Map.of(adapter("queries", "self_attn.q_proj", "self_attn.v_proj"), 1.0));
            try (DecoderSequence adapted = model.sequence(adapter)) {
                adapted.append(1, 2, 3);
                adapter.close();
                adapter.close();
                assertThatThrownBy(() -> adapted.append(4)).isInstanceOf(dev.pollux.CancelledException.class);
            }
            assertThatThrownBy(() -> model.sequence(adapter))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The adapter queries is closed or of another model; load it again");
            base.append(1, 2, 3);
            assertThat(base.length()).isEqualTo(3);
        }
    }

    @Test
    void closingTheModelFreesItsAdapters() {
        DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
        LoadedAdapter adapter = model.load(Map.of(adapter("queries", "self_attn.q_proj", "self_attn.v_proj"), 1.0));
        assertThat(adapter.bytes()).isPositive();
        model.close();
        adapter.close();
    }

    @Test
    void whatCannotBeLoadedIsNamed() {
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")))) {
            Path stranger = LLAMA.writeAdapter(temp.resolve("stranger"), 4, 8, List.of("mlp.gate_up_proj"));
            assertThatThrownBy(() -> model.load(Map.of(stranger, 1.0)))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageStartingWith("The adapter stranger changes model.layers.0.mlp.gate_up_proj.weight and ")
                    .hasMessageContaining("which is not a projection of")
                    .hasMessageEndingWith("use the model it was trained on");
            Path nowhere = temp.resolve("nowhere");
            assertThatThrownBy(() -> model.load(Map.of(nowhere, 1.0)))
                    .isInstanceOf(StorageException.class)
                    .hasMessage("There is no adapter at " + nowhere
                            + "; give a folder with adapter_config.json, or a GGUF file of an adapter");
        }
        Path export = temp.resolve("llama.onnx");
        try (DecoderModel model = DecoderModel.open(export, EngineOptions.DEFAULTS)) {
            assertThatThrownBy(() -> model.load(Map.of(adapter("queries", "self_attn.q_proj"), 1.0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageEndingWith(
                            "was opened without adapters; open it with" + " EngineOptions.builder().adapters(true)");
        }
    }

    @Test
    void severalGeneratorsOverOneBaseKeepApart() throws IOException {
        try (DecoderModel model = open(LLAMA.write(temp.resolve("llama")));
                LoadedAdapter one =
                        model.load(Map.of(adapter("queries", "self_attn.q_proj", "self_attn.v_proj"), 1.0));
                LoadedAdapter two =
                        model.load(Map.of(adapter("all", TinyDecoder.PROJECTIONS.toArray(String[]::new)), 1.0))) {
            float[] first = with(model, one);
            float[] second = with(model, two);
            assertThat(first).isNotEqualTo(second);
            List<float[]> together = Stream.of(one, two, one, two)
                    .parallel()
                    .map(adapter -> with(model, adapter))
                    .toList();
            assertThat(together.get(0)).containsExactly(first);
            assertThat(together.get(1)).containsExactly(second);
            assertThat(together.get(2)).containsExactly(first);
            assertThat(together.get(3)).containsExactly(second);
        }
    }
}
