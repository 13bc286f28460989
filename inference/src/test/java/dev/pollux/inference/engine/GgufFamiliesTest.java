package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Reference checkpoints written as the GGUF files that llama.cpp's converter makes of them give the reference logits. */
@NoLeaks
class GgufFamiliesTest {

    /** How the converter names and lays out what differs between families. */
    private record Format(String architecture, boolean pairs, Map<String, String> names) {}

    private static final Map<String, Format> FORMATS = Map.of(
            "Qwen2ForCausalLM", new Format("qwen2", false, Map.of()),
            "Qwen3ForCausalLM", new Format("qwen3", false, Map.of()),
            "GraniteForCausalLM", new Format("granite", true, Map.of()),
            "Olmo2ForCausalLM", new Format("olmo2", false, Map.of("post_attention_layernorm", "post_attention_norm")),
            "MixtralForCausalLM", new Format("llama", true, Map.of()),
            "Lfm2ForCausalLM", new Format("lfm2", false, Map.of("ffn_norm", "ffn_norm")));

    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("operator_norm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.out_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("self_attn.q_layernorm", "attn_q_norm"),
            Map.entry("self_attn.k_layernorm", "attn_k_norm"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("post_feedforward_layernorm", "post_ffw_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"),
            Map.entry("feed_forward.w1", "ffn_gate"),
            Map.entry("feed_forward.w3", "ffn_up"),
            Map.entry("feed_forward.w2", "ffn_down"),
            Map.entry("conv.conv", "shortconv.conv"),
            Map.entry("conv.in_proj", "shortconv.in_proj"),
            Map.entry("conv.out_proj", "shortconv.out_proj"),
            Map.entry("block_sparse_moe.gate", "ffn_gate_inp"),
            Map.entry("block_sparse_moe.experts.w1", "ffn_gate_exps"),
            Map.entry("block_sparse_moe.experts.w2", "ffn_down_exps"),
            Map.entry("block_sparse_moe.experts.w3", "ffn_up_exps"));

    private static final Map<String, String> NUMBERS = Map.ofEntries(
            Map.entry("hidden_size", "embedding_length"),
            Map.entry("num_hidden_layers", "block_count"),
            Map.entry("intermediate_size", "feed_forward_length"),
            Map.entry("num_attention_heads", "attention.head_count"),
            Map.entry("num_key_value_heads", "attention.head_count_kv"),
            Map.entry("head_dim", "attention.key_length"),
            Map.entry("max_position_embeddings", "context_length"),
            Map.entry("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
            Map.entry("norm_eps", "attention.layer_norm_rms_epsilon"),
            Map.entry("num_local_experts", "expert_count"),
            Map.entry("num_experts_per_tok", "expert_used_count"),
            Map.entry("attention_multiplier", "attention.scale"),
            Map.entry("embedding_multiplier", "embedding_scale"),
            Map.entry("residual_multiplier", "residual_scale"),
            Map.entry("logits_scaling", "logit_scale"));

    /** What is held here: the GGUF architecture and the class it is read as. */
    static List<String> held() {
        return FORMATS.entrySet().stream()
                .map(entry -> entry.getValue().architecture() + " " + entry.getKey())
                .toList();
    }

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> aConvertedCheckpointGivesTheReferenceLogits() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .filter(folder -> FORMATS.containsKey(architecture(folder)))
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    private static String architecture(Path folder) {
        return json(folder.resolve("config.json")).path("architectures").path(0).asString();
    }

    private void check(Path folder) throws IOException {
        JsonNode config = json(folder.resolve("config.json"));
        assumeTrue(
                config.path("rope_parameters")
                                .path("rope_type")
                                .asString("default")
                                .equals("default")
                        && !config.path("use_sliding_window").asBoolean(false)
                        && !config.path("sliding_window").isInt(),
                "The format holds no such settings");
        Path file = temp.resolve(folder.getFileName() + ".gguf");
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            converted(config, tensors).write(file);
        }
        Path target = temp.resolve(folder.getFileName().toString());
        ExportOptions floats =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            DecoderExport.export(checkpoint, target, floats).run();
        }
        JsonNode cases = json(folder.resolve("cases.json"));
        try (DecoderModel model = DecoderModel.open(
                        target, EngineOptions.builder().threads(1).build());
                SafetensorsFile expected = SafetensorsFile.open(
                        folder.resolve(cases.path("expected").asString()))) {
            for (JsonNode prompt : cases.path("prompts")) {
                int[] ids = prompt.path("ids")
                        .valueStream()
                        .mapToInt(JsonNode::asInt)
                        .toArray();
                float[] due = expected.floats(prompt.path("logits_last").asString());
                try (DecoderSequence sequence = model.sequence()) {
                    FloatBuffer logits = sequence.append(ids);
                    for (int i = 0; i < due.length; i++) {
                        assertThat((double) logits.get(i))
                                .as("logit %d after %d tokens", i, ids.length)
                                .isCloseTo(
                                        due[i],
                                        within(cases.path("tolerance")
                                                .path("logits_absolute")
                                                .asDouble()));
                    }
                }
            }
        }
    }

    private static GgufBuilder converted(JsonNode config, TensorFile tensors) {
        Format format = FORMATS.get(config.path("architectures").path(0).asString());
        GgufBuilder builder = new GgufBuilder().put("general.architecture", format.architecture());
        metadata(builder, format.architecture() + ".", config);
        Map<String, TreeMap<Integer, float[]>> experts = new LinkedHashMap<>();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.tensors().forEach((name, info) -> {
            long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
            float[] values = tensors.floats(name);
            if (format.pairs() && name.matches(".*\\.(q|k)_proj\\.weight")) {
                values = inPairs(values, shape, heads(config, name));
            }
            if (name.contains(".experts.")) {
                int number = Integer.parseInt(name.replaceAll(".*\\.experts\\.(\\d+)\\..*", "$1"));
                String stacked = renamed(format, name.replaceAll("\\.experts\\.\\d+\\.", ".experts."));
                experts.computeIfAbsent(stacked, key -> new TreeMap<>()).put(number, values);
                shapes.put(stacked, shape);
            } else if (name.endsWith("conv.conv.weight")) {
                builder.floats(renamed(format, name), values, shape[0], shape[2]);
            } else {
                builder.floats(renamed(format, name), values, shape);
            }
        });
        experts.forEach((name, parts) -> {
            long[] shape = shapes.get(name);
            int size = (int) (shape[0] * shape[1]);
            float[] all = new float[parts.size() * size];
            parts.forEach((number, values) -> System.arraycopy(values, 0, all, number * size, size));
            builder.floats(name, all, parts.size(), shape[0], shape[1]);
        });
        return builder;
    }

    private static void metadata(GgufBuilder builder, String prefix, JsonNode config) {
        NUMBERS.forEach((key, stored) -> {
            JsonNode value = config.path(key);
            if (value.isInt()) {
                builder.put(prefix + stored, value.asInt());
            } else if (value.isNumber()) {
                builder.put(prefix + stored, (float) value.asDouble());
            }
        });
        JsonNode theta = config.path("rope_parameters").path("rope_theta");
        builder.put(prefix + "rope.freq_base", (float) theta.asDouble());
        if (config.path("layer_types").path(0).asString("").equals("conv")) {
            int heads = config.path("num_key_value_heads").asInt();
            List<Integer> each = config.path("layer_types")
                    .valueStream()
                    .map(type -> type.asString().equals("conv") ? 0 : heads)
                    .toList();
            builder.put(prefix + "attention.head_count_kv", each);
        }
    }

    private static int heads(JsonNode config, String name) {
        return config.path(name.contains("q_proj") ? "num_attention_heads" : "num_key_value_heads")
                .asInt();
    }

    /** Rows of each head from [2, half] to [half, 2]. */
    private static float[] inPairs(float[] values, long[] shape, int heads) {
        int columns = (int) shape[1];
        int width = (int) shape[0] / heads;
        float[] turned = new float[values.length];
        for (int row = 0; row < shape[0]; row++) {
            int within = row % width;
            int to = row - within + within % (width / 2) * 2 + within / (width / 2);
            System.arraycopy(values, row * columns, turned, to * columns, columns);
        }
        return turned;
    }

    private static String renamed(Format format, String name) {
        if (!name.startsWith("model.layers.")) {
            return switch (name) {
                case "model.embed_tokens.weight" -> "token_embd.weight";
                case "model.norm.weight" -> "output_norm.weight";
                case "model.embedding_norm.weight" -> "token_embd_norm.weight";
                default -> "output.weight";
            };
        }
        String[] parts = name.split("\\.", 4);
        int end = parts[3].lastIndexOf('.');
        String own = parts[3].substring(0, end);
        String stored = format.names().getOrDefault(own, NAMES.getOrDefault(own, own));
        return "blk." + parts[2] + "." + stored + parts[3].substring(end);
    }

    private static JsonNode json(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
