package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reference checkpoints of recurrent families, and of attention families whose layout is their own, written as llama.cpp's
 * converter writes them, give the reference logits.
 */
@NoLeaks
class GgufMixersTest {

    /** GGUF architectures, with the names of tensors as {@code ours=theirs} and of numbers as {@code key=stored}. */
    private record Format(String architecture, String names, String numbers) {}

    private static final String MIXER = "A_log=ssm_a D=ssm_d conv1d=ssm_conv1d in_proj=ssm_in out_proj=ssm_out"
            + " x_proj=ssm_x dt_proj=ssm_dt dt_bias=ssm_dt.bias ";
    private static final String ATTENTION =
            "q_proj=attn_q k_proj=attn_k v_proj=attn_v o_proj=attn_output q_norm=attn_q_norm k_norm=attn_k_norm ";
    private static final String MLP = "gate_proj=ffn_gate up_proj=ffn_up down_proj=ffn_down ";
    private static final String SHAPE = "hidden_size=embedding_length num_hidden_layers=block_count"
            + " num_attention_heads=attention.head_count num_key_value_heads=attention.head_count_kv"
            + " intermediate_size=feed_forward_length max_position_embeddings=context_length"
            + " rms_norm_eps=attention.layer_norm_rms_epsilon head_dim=attention.key_length ";

    private static final Format DEEPSEEK = new Format(
            "deepseek2",
            ATTENTION + MLP + "q_a_proj=attn_q_a q_b_proj=attn_q_b q_a_layernorm=attn_q_a_norm"
                    + " kv_a_proj_with_mqa=attn_kv_a_mqa kv_a_layernorm=attn_kv_a_norm"
                    + " e_score_correction_bias=exp_probs_b.bias gate=ffn_gate_inp"
                    + " shared_experts.gate_proj=ffn_gate_shexp shared_experts.up_proj=ffn_up_shexp"
                    + " shared_experts.down_proj=ffn_down_shexp input_layernorm=attn_norm"
                    + " post_attention_layernorm=ffn_norm",
            SHAPE + "q_lora_rank=attention.q_lora_rank kv_lora_rank=attention.kv_lora_rank"
                    + " v_head_dim=attention.value_length_mla qk_rope_head_dim=rope.dimension_count"
                    + " first_k_dense_replace=leading_dense_block_count n_routed_experts=expert_count"
                    + " num_experts_per_tok=expert_used_count n_group=expert_group_count"
                    + " topk_group=expert_group_used_count moe_intermediate_size=expert_feed_forward_length"
                    + " n_shared_experts=expert_shared_count routed_scaling_factor=expert_weights_scale");

    private static final Map<String, Format> FORMATS = Map.of(
            "MambaForCausalLM",
            new Format(
                    "mamba",
                    "norm=attn_norm " + MIXER,
                    SHAPE + "state_size=ssm.state_size intermediate_size=ssm.inner_size"
                            + " layer_norm_epsilon=attention.layer_norm_rms_epsilon"),
            "Mamba2ForCausalLM",
            new Format(
                    "mamba2",
                    "norm=attn_norm mixer.norm=ssm_norm " + MIXER,
                    SHAPE + "state_size=ssm.state_size n_groups=ssm.group_count num_heads=ssm.time_step_rank"
                            + " layer_norm_epsilon=attention.layer_norm_rms_epsilon"),
            "NemotronHForCausalLM",
            new Format(
                    "nemotron_h",
                    "norm=attn_norm mixer.norm=ssm_norm " + MIXER + ATTENTION + MLP,
                    SHAPE + "ssm_state_size=ssm.state_size n_groups=ssm.group_count mamba_num_heads=ssm.time_step_rank"
                            + " layer_norm_epsilon=attention.layer_norm_epsilon"),
            "GPT2LMHeadModel",
            new Format(
                    "gpt2",
                    "attn.c_attn=attn_qkv attn.c_proj=attn_output ln_1=attn_norm ln_2=ffn_norm mlp.c_fc=ffn_up"
                            + " mlp.c_proj=ffn_down",
                    "n_embd=embedding_length n_layer=block_count n_head=attention.head_count"
                            + " n_positions=context_length layer_norm_epsilon=attention.layer_norm_epsilon"),
            "DeepseekV2ForCausalLM",
            DEEPSEEK,
            "DeepseekV3ForCausalLM",
            DEEPSEEK,
            "FalconH1ForCausalLM",
            new Format(
                    "falcon-h1",
                    MIXER + ATTENTION + MLP + "mamba.norm=ssm_norm input_layernorm=attn_norm pre_ff_layernorm=ffn_norm",
                    SHAPE + "mamba_d_state=ssm.state_size mamba_n_groups=ssm.group_count"
                            + " mamba_n_heads=ssm.time_step_rank"),
            "Qwen3_5ForCausalLM",
            new Format(
                    "qwen35",
                    ATTENTION + MLP + "in_proj_qkv=attn_qkv in_proj_z=attn_gate in_proj_a=ssm_alpha"
                            + " in_proj_b=ssm_beta conv1d=ssm_conv1d A_log=ssm_a dt_bias=ssm_dt.bias"
                            + " linear_attn.norm=ssm_norm out_proj=ssm_out input_layernorm=attn_norm"
                            + " post_attention_layernorm=post_attention_norm",
                    SHAPE + "linear_num_key_heads=ssm.group_count linear_num_value_heads=ssm.time_step_rank"
                            + " linear_key_head_dim=ssm.state_size full_attention_interval=full_attention_interval"));

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
        List<Path> folders = ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .filter(folder -> FORMATS.containsKey(architecture(config(folder))))
                .filter(folder -> fits(config(folder)))
                .toList();
        assertThat(folders).isNotEmpty();
        return folders.stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    /** The format holds neither another activation nor a norm before the gate. */
    private static boolean fits(JsonNode config) {
        boolean mixer = config.has("state_size") || config.has("mamba_d_state");
        boolean normedFirst = config.path("mamba_rms_norm").asBoolean(false)
                && config.path("mamba_norm_before_gate").asBoolean(true);
        return !normedFirst
                && (!mixer || config.path("hidden_act").asString("silu").equals("silu"));
    }

    private void check(Path folder) {
        Path file = temp.resolve(folder.getFileName() + ".gguf");
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            converted(config(folder), tensors).write(file);
        }
        Path target = temp.resolve(folder.getFileName().toString());
        ExportOptions floats =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            DecoderExport.export(checkpoint, target, floats).run();
        }
        JsonNode cases = json(folder.resolve("cases.json"));
        double tolerance = cases.path("tolerance").path("logits_absolute").asDouble();
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
                    float[] logits = new float[due.length];
                    sequence.append(ids).get(0, logits);
                    for (int i = 0; i < due.length; i++) {
                        assertThat((double) logits[i])
                                .as("logit %d after %d tokens", i, ids.length)
                                .isCloseTo(due[i], within(tolerance));
                    }
                }
            }
        }
    }

    private static GgufBuilder converted(JsonNode config, TensorFile tensors) {
        Format format = FORMATS.get(architecture(config));
        GgufBuilder builder = new GgufBuilder().put("general.architecture", format.architecture());
        metadata(builder, format, config);
        Map<String, TreeMap<Integer, float[]>> experts = new LinkedHashMap<>();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.tensors().forEach((name, info) -> {
            long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
            float[] values = tensors.floats(name);
            String stored = renamed(format, name);
            if (name.contains(".experts.")) {
                int number = Integer.parseInt(name.replaceAll(".*\\.experts\\.(\\d+)\\..*", "$1"));
                String stacked = stored.replace(".weight", "_exps.weight");
                experts.computeIfAbsent(stacked, key -> new TreeMap<>()).put(number, values);
                shapes.put(stacked, shape);
            } else if (name.endsWith("kv_b_proj.weight")) {
                latent(builder, config, values, stored.replaceAll("[a-z_]+\\.weight$", ""));
            } else {
                add(builder, config, name, stored, values, shape);
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

    private static void add(
            GgufBuilder builder, JsonNode config, String name, String stored, float[] values, long[] shape) {
        float[] own = values;
        long[] size = shape;
        if (name.endsWith("A_log")) {
            for (int i = 0; i < own.length; i++) {
                own[i] = (float) -Math.exp(own[i]);
            }
            size = shape.length == 1 && !name.contains("linear_attn") ? new long[] {shape[0], 1} : shape;
        } else if (name.contains("conv1d.weight")) {
            size = new long[] {shape[0], shape[2]};
        } else if (name.matches("transformer\\.h\\..*\\.c_[a-z]+\\.weight")) {
            own = transposed(own, (int) shape[0], (int) shape[1]);
            size = new long[] {shape[1], shape[0]};
        } else if (architecture(config).startsWith("Qwen")
                && name.endsWith("norm.weight")
                && !name.contains("linear_attn")) {
            for (int i = 0; i < own.length; i++) {
                own[i] += 1;
            }
        }
        if (architecture(config).startsWith("FalconH1")) {
            multiply(config, name, own);
        }
        if (name.contains("linear_attn.")) {
            own = inTurns(config, name, own, (int) (own.length / (name.contains("out_proj") ? 1 : shape[0])));
        }
        builder.floats(stored, own, size);
    }

    /** Falcon-H1's factors go into the matrices. */
    private static void multiply(JsonNode config, String name, float[] values) {
        double attentionIn = config.path("attention_in_multiplier").asDouble(1);
        JsonNode mlp = config.path("mlp_multipliers");
        double factor = switch (name.replaceAll("^.*?([a-z_]+)\\.weight$", "$1")) {
            case "down_proj" -> mlp.path(1).asDouble(1);
            case "gate_proj" -> mlp.path(0).asDouble(1);
            case "k_proj" -> attentionIn * config.path("key_multiplier").asDouble(1);
            case "q_proj", "v_proj" -> attentionIn;
            case "o_proj" -> config.path("attention_out_multiplier").asDouble(1);
            case "out_proj" -> config.path("ssm_out_multiplier").asDouble(1);
            case "in_proj" -> config.path("ssm_in_multiplier").asDouble(1);
            case "lm_head" -> config.path("lm_head_multiplier").asDouble(1);
            case "embed_tokens" -> config.path("embedding_multiplier").asDouble(1);
            default -> 1;
        };
        int hidden = config.path("hidden_size").asInt();
        int shared = product(config, "mamba_n_groups", "mamba_d_state");
        int heads = config.path("mamba_n_heads").asInt();
        int inner = (values.length / hidden - 2 * shared - heads) / 2;
        int[] ends = {inner, 2 * inner, 2 * inner + shared, 2 * inner + 2 * shared, Integer.MAX_VALUE};
        for (int i = 0; i < values.length; i++) {
            int part = 0;
            while (i / hidden >= ends[part]) {
                part++;
            }
            double own = name.endsWith("in_proj.weight")
                    ? config.path("ssm_multipliers").path(part).asDouble(1)
                    : 1;
            values[i] *= (float) (factor * own);
        }
    }

    /** Value heads from [key head][own] to [own][key head]: rows, or the columns of the last projection. */
    private static float[] inTurns(JsonNode config, String name, float[] values, int run) {
        int keys = config.path("linear_num_key_heads").asInt();
        int heads = config.path("linear_num_value_heads").asInt();
        int width = config.path("linear_value_head_dim").asInt();
        if (name.contains("linear_attn.norm")) {
            return values;
        }
        boolean mixed = name.contains("in_proj_qkv") || name.contains("conv1d");
        boolean narrow = name.matches(".*(in_proj_[ab]\\.weight|A_log|dt_bias)");
        int size = name.contains("out_proj") ? width : narrow ? run : width * run; // of a head
        int first = mixed ? 2 * keys * config.path("linear_key_head_dim").asInt() * run : 0;
        float[] turned = values.clone();
        for (int row = first; row < values.length; row += heads * size) {
            for (int head = 0; head < heads; head++) {
                int to = head % (heads / keys) * keys + head / (heads / keys);
                System.arraycopy(values, row + head * size, turned, row + to * size, size);
            }
        }
        return turned;
    }

    /** k (heads, rank, plain) and v (heads, values, rank) of (heads, plain + values, rank). */
    private static void latent(GgufBuilder builder, JsonNode config, float[] both, String at) {
        int heads = config.path("num_attention_heads").asInt();
        int rank = config.path("kv_lora_rank").asInt();
        int plain = config.path("qk_nope_head_dim").asInt();
        int values = config.path("v_head_dim").asInt();
        float[] k = new float[heads * rank * plain];
        float[] v = new float[heads * values * rank];
        for (int head = 0; head < heads; head++) {
            int from = head * (plain + values) * rank;
            float[] part = transposed(Arrays.copyOfRange(both, from, from + plain * rank), plain, rank);
            System.arraycopy(part, 0, k, head * rank * plain, part.length);
            System.arraycopy(both, from + plain * rank, v, head * values * rank, values * rank);
        }
        builder.floats(at + "attn_k_b.weight", k, heads, rank, plain);
        builder.floats(at + "attn_v_b.weight", v, heads, values, rank);
    }

    private static float[] transposed(float[] values, int rows, int columns) {
        float[] turned = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            turned[i % columns * rows + i / columns] = values[i];
        }
        return turned;
    }

    private static void metadata(GgufBuilder builder, Format format, JsonNode config) {
        String prefix = format.architecture() + ".";
        builder.put(prefix + "context_length", 256)
                .put(prefix + "feed_forward_length", 0)
                .put(prefix + "attention.head_count", 0);
        for (String pair : format.numbers().split(" ")) {
            JsonNode value = config.path(pair.replaceAll("=.*", ""));
            String key = prefix + pair.replaceAll(".*=", "");
            if (value.isInt()) {
                builder.put(key, value.asInt());
            } else if (value.isNumber()) {
                builder.put(key, (float) value.asDouble());
            }
        }
        JsonNode rope = config.path("rope_parameters");
        if (rope.has("rope_theta")) {
            builder.put(
                    prefix + "rope.freq_base", (float) rope.path("rope_theta").asDouble());
        }
        switch (format.architecture()) {
            case "mamba2" -> builder.put(prefix + "ssm.inner_size", product(config, "num_heads", "head_dim"));
            case "nemotron_h" ->
                builder.put(prefix + "ssm.inner_size", product(config, "mamba_num_heads", "mamba_head_dim"))
                        .put(prefix + "feed_forward_length", List.of(0, 80))
                        .put(
                                prefix + "block_count",
                                config.path("layers_block_type").size());
            case "falcon-h1" -> {
                int inner = config.path("mamba_d_ssm").asInt(product(config, "mamba_expand", "hidden_size"));
                builder.put(prefix + "ssm.inner_size", inner);
            }
            case "qwen35" ->
                builder.put(
                                prefix + "ssm.inner_size",
                                product(config, "linear_num_value_heads", "linear_value_head_dim"))
                        .put(prefix + "rope.dimension_count", (int)
                                (rope.path("partial_rotary_factor").asDouble()
                                        * config.path("head_dim").asInt()));
            case "deepseek2" -> {
                int key = config.path("qk_nope_head_dim").asInt()
                        + config.path("qk_rope_head_dim").asInt();
                builder.put(prefix + "attention.key_length", key)
                        .put(prefix + "attention.key_length_mla", key)
                        .put(
                                prefix + "attention.value_length",
                                config.path("v_head_dim").asInt())
                        .put(prefix + "attention.head_count_kv", 1)
                        .put(prefix + "expert_weights_norm", true);
                if (architecture(config).equals("DeepseekV2ForCausalLM")) {
                    builder.put(prefix + "expert_gating_func", 1);
                }
                if (rope.path("rope_type").asString("").equals("yarn")) {
                    builder.put(prefix + "rope.scaling.type", "yarn")
                            .put(prefix + "rope.scaling.factor", (float)
                                    rope.path("factor").asDouble())
                            .put(
                                    prefix + "rope.scaling.original_context_length",
                                    rope.path("original_max_position_embeddings")
                                            .asInt())
                            .put(prefix + "rope.scaling.yarn_log_multiplier", (float)
                                    (0.1 * rope.path("mscale_all_dim").asDouble()));
                }
            }
            default -> {} // all of it is in the table
        }
    }

    private static int product(JsonNode config, String a, String b) {
        return config.path(a).asInt() * config.path(b).asInt();
    }

    /** The longest of our names that ends a tensor's own is renamed. */
    private static String renamed(Format format, String name) {
        String end = name.endsWith(".weight") ? ".weight" : name.endsWith(".bias") ? ".bias" : "";
        String stem = name.substring(0, name.length() - end.length());
        if (!name.matches("[a-z_.]+\\.\\d+\\..*")) {
            return switch (stem.replaceAll(".*\\.", "")) {
                case "embeddings", "embed_tokens", "wte" -> "token_embd" + end;
                case "wpe" -> "position_embd" + end;
                case "lm_head" -> "output" + end;
                default -> "output_norm" + end;
            };
        }
        String layer = name.replaceAll("^[a-z_.]+\\.(\\d+)\\..*", "$1");
        List<String> found = new ArrayList<>();
        for (String pair : format.names().split(" ")) {
            String ours = pair.replaceAll("=.*", "");
            if (stem.endsWith("." + ours)) {
                found.add(pair);
            }
        }
        String longest = found.stream()
                .max(java.util.Comparator.comparingInt(pair -> pair.indexOf('=')))
                .map(pair -> pair.replaceAll(".*=", ""))
                .orElse(stem.replaceAll(".*\\.", ""));
        return "blk." + layer + "." + longest + end;
    }

    private static String architecture(JsonNode config) {
        return config.path("architectures").path(0).asString();
    }

    private static JsonNode config(Path folder) {
        return json(folder.resolve("config.json"));
    }

    private static JsonNode json(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
