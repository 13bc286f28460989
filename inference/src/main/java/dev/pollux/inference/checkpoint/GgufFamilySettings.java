package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.GgufFile;
import java.nio.file.Path;
import java.util.List;

/** Settings of single families that have to be computed from the metadata or derived from the tensors. */
final class GgufFamilySettings {

    private final Path path;
    private final GgufFile file;
    private final String prefix;
    private final ModelConfig config;
    private final ObjectNode json;

    GgufFamilySettings(Path path, GgufFile file, String prefix, ModelConfig config, ObjectNode json) {
        this.path = path;
        this.file = file;
        this.prefix = prefix;
        this.config = config;
        this.json = json;
    }

    void read() {
        switch (config.architecture()) {
            case "DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM" -> deepseek();
            case "Gemma4ForCausalLM" -> gemma4();
            case "GPTNeoXForCausalLM" -> neoX();
            case "Mamba2ForCausalLM" -> json.put("head_dim", scanWidth());
            case "NemotronHForCausalLM" -> nemotron();
            case "GraniteMoeHybridForCausalLM" -> granite();
            case "Qwen3_5ForCausalLM", "Qwen3NextForCausalLM" -> qwen();
            default -> {} // the table has all settings
        }
    }

    private void deepseek() {
        int rotated = required("rope.dimension_count");
        int key = integer("attention.key_length_mla", required("attention.key_length"));
        json.put("qk_nope_head_dim", key - rotated);
        json.put("v_head_dim", integer("attention.value_length_mla", required("attention.value_length")));
        int gating = integer("expert_gating_func", 0);
        if (gating > 2) {
            throw new UnsupportedModelException(path + ": " + prefix
                    + "expert_gating_func must be 1, a softmax, or 2, a sigmoid, but was " + gating);
        }
        if (integer("expert_group_count", 0) > 1) {
            json.put("topk_method", "group_limited_greedy");
        }
    }

    private void gemma4() {
        ObjectNode rope = json.putObject("rope_parameters");
        rope.putObject("sliding_attention").put("rope_theta", number("rope.freq_base_swa", 10_000));
        ObjectNode full = rope.putObject("full_attention").put("rope_theta", config.rotaryTheta());
        if (file.tensors()
                .containsKey("rope_freqs.weight")) { // 1 for a pair that is rotated, a huge number for one that is not
            float[] factors = file.floats("rope_freqs.weight");
            int turning = 0;
            while (turning < factors.length && factors[turning] == 1) {
                turning++;
            }
            full.put("rope_type", "proportional").put("partial_rotary_factor", (double) turning / factors.length);
        }
        if (file.tensors().containsKey("per_layer_token_embd.weight")) {
            json.put(
                    "vocab_size_per_layer_input",
                    file.info("per_layer_token_embd.weight").dim(0));
        }
        json.put("enable_moe_block", integer("expert_count", 0) > 0);
        ObjectNode layers = json.putObject("per_layer_config");
        if (file.metadata().get(prefix + "attention.head_count_kv") instanceof List<?> each) {
            for (int layer = 0; layer < each.size(); layer++) {
                layers.putObject(Integer.toString(layer))
                        .put("num_key_value_heads", each.get(layer) instanceof Long count ? count.intValue() : 0);
            }
        }
    }

    private void neoX() {
        double rotated = integer("rope.dimension_count", config.headDim());
        json.put("rotary_pct", rotated / config.headDim());
        json.put("rotary_emb_base", config.rotaryTheta());
    }

    /** The tensors of a layer determine its kind. */
    private void nemotron() {
        json.put("mamba_head_dim", scanWidth());
        ArrayNode types = json.putArray("layers_block_type");
        for (int layer = 0; layer < config.layers(); layer++) {
            String at = "blk." + layer + ".";
            if (file.tensors().containsKey(at + "ssm_in.weight")) {
                types.add("mamba");
            } else if (file.tensors().containsKey(at + "attn_q.weight")) {
                types.add("attention");
            } else {
                types.add(file.tensors().containsKey(at + "ffn_gate_inp.weight") ? "moe" : "mlp");
            }
        }
    }

    /**
     * A key with another meaning stores whether attention has rotary positions. Bamba has the same format, but not the factors
     * of this family.
     */
    private void granite() {
        json.put("mamba_d_head", scanWidth());
        boolean rotates = !Boolean.FALSE.equals(file.metadata().get(prefix + "rope.scaling.finetuned"));
        json.put("position_embedding_type", rotates ? "rope" : "nope");
        if (!json.has("attention_multiplier") && config.headDim() > 0) {
            json.put("attention_multiplier", 1 / Math.sqrt(config.headDim()));
        }
    }

    private void qwen() {
        json.put("linear_value_head_dim", scanWidth());
        if (file.metadata().get(prefix + "attention.recurrent_layers") instanceof List<?> recurrent) {
            ArrayNode types = json.putArray("layer_types");
            recurrent.forEach(each -> types.add(Boolean.TRUE.equals(each) ? "linear_attention" : "full_attention"));
        }
    }

    /** Number of channels per head. */
    private int scanWidth() {
        int inner = required("ssm.inner_size");
        int heads = required("ssm.time_step_rank");
        if (heads < 1 || inner % heads != 0) {
            throw new MalformedFileException(path + ": " + prefix + "ssm.inner_size " + inner
                    + " must be a multiple of the " + heads + " heads of " + prefix + "ssm.time_step_rank");
        }
        return inner / heads;
    }

    private double number(String key, double fallback) {
        return file.number(prefix + key).orElse(fallback);
    }

    private int required(String key) {
        return integer(key, -1);
    }

    private int integer(String key, int fallback) {
        long value = file.integer(prefix + key).orElse((long) fallback);
        if (value < 0 || value > 1 << 24) {
            throw new MalformedFileException(path + ": " + prefix + key
                    + (value == -1 ? " is absent; the file is damaged" : " must be in [0, 16777216] but was " + value));
        }
        return (int) value;
    }
}
