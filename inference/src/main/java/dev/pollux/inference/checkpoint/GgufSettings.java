package dev.pollux.inference.checkpoint;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.GgufFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Converts the metadata of a GGUF file to the settings of Hugging Face's {@code config.json}. */
final class GgufSettings {

    private final Path path;
    private final GgufFile file;
    private final String prefix;
    private final ModelConfig config;
    private final ObjectNode json = new ObjectNode();

    GgufSettings(Path path, GgufFile file, String prefix, ModelConfig config) {
        this.path = path;
        this.file = file;
        this.prefix = prefix;
        this.config = config;
    }

    Settings read(GgufFamily family) {
        json.putArray("architectures").add(config.architecture());
        json.put("max_position_embeddings", config.contextLength());
        json.put("rms_norm_eps", config.normEpsilon());
        json.put("norm_eps", config.normEpsilon());
        json.put("rope_theta", config.rotaryTheta());
        json.put("tie_word_embeddings", config.tiedEmbedding());
        family.fixed().forEach((key, value) -> json.set(key, JsonNode.of(value)));
        family.settings().forEach((key, stored) -> {
            number(stored).ifPresent(value -> put(key, value));
            if (file.metadata().get(prefix + stored) instanceof Boolean flag) {
                json.put(key, flag);
            }
        });
        rotary();
        if (config.architecture().startsWith("Gemma")) {
            // The format has no key for it: all use the head width, except the two largest, which use hiddenSize /
            // heads.
            boolean largest = config.layers() == 46 || config.layers() == 62;
            json.put("query_pre_attn_scalar", largest ? config.hiddenSize() / config.heads() : config.headDim());
        }
        if (config.architecture().startsWith("Lfm2")) {
            layerTypes();
        }
        if (file.metadata().get(prefix + "attention.sliding_window_pattern") instanceof List<?> slides) {
            ArrayNode types = json.putArray("layer_types");
            slides.forEach(each -> types.add(Boolean.TRUE.equals(each) ? "sliding_attention" : "full_attention"));
        }
        new GgufFamilySettings(path, file, prefix, config, json).read();
        json.put("use_qk_norm", file.tensors().containsKey("blk.0.attn_q_norm.weight"));
        return new Settings(path, json);
    }

    private Optional<Double> number(String key) {
        return file.metadata().get(prefix + key) instanceof Number value
                ? Optional.of(value.doubleValue())
                : Optional.empty();
    }

    private void put(String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1 << 24 && value != 0) {
            json.put(key, (int) value);
        } else if (value != 0) {
            json.put(key, value);
        }
    }

    private void rotary() {
        String type = file.string(prefix + "rope.scaling.type").orElse("none");
        double factor = number("rope.scaling.factor").orElse(1.0);
        int rotated = number("rope.dimension_count").map(Double::intValue).orElse(config.headDim());
        if (rotated != config.headDim()
                && config.headDim() > 0
                && !config.architecture().startsWith("Deepseek")) {
            json.put("partial_rotary_factor", (double) rotated / config.headDim());
        }
        ObjectNode scaling = new ObjectNode();
        number("rope.scaling.original_context_length")
                .ifPresent(value -> scaling.put("original_max_position_embeddings", value.intValue()));
        if (file.tensors().containsKey("rope_factors_long.weight")) {
            scaling.put("rope_type", "longrope");
            factors(scaling, "long_factor", "rope_factors_long.weight");
            factors(scaling, "short_factor", "rope_factors_short.weight");
            number("rope.scaling.attn_factor").ifPresent(value -> scaling.put("attention_factor", value));
        } else if (type.equals("linear") || type.equals("yarn")) {
            scaling.put("rope_type", type).put("factor", factor);
            number("rope.scaling.yarn_beta_fast").ifPresent(value -> scaling.put("beta_fast", value));
            number("rope.scaling.yarn_beta_slow").ifPresent(value -> scaling.put("beta_slow", value));
            number("rope.scaling.yarn_log_multiplier").ifPresent(value -> yarnScale(scaling, value));
            number("attention.temperature_scale").ifPresent(value -> scaling.put("llama_4_scaling_beta", value));
            scaling.put("truncate", !config.architecture().equals("GptOssForCausalLM"));
        } else if (file.tensors().containsKey("rope_freqs.weight")
                && !config.architecture().equals("Gemma4ForCausalLM")) {
            scaling.put("rope_type", "factors");
            factors(scaling, "factors", "rope_freqs.weight");
        } else if (!type.equals("none")) {
            throw new UnsupportedModelException(
                    path + ": rotary scaling '" + type + "' is not supported, only none, linear, yarn and longrope");
        } else {
            return;
        }
        json.set("rope_scaling", scaling);
    }

    /** DeepSeek files store a tenth of the scale. Both scales are equal in the models that have them. */
    private void yarnScale(ObjectNode scaling, double stored) {
        double scale = config.architecture().startsWith("Deepseek") ? stored * 10 : stored;
        scaling.put("mscale", scale).put("mscale_all_dim", scale);
    }

    private void factors(ObjectNode scaling, String key, String tensor) {
        ArrayNode list = scaling.putArray(key);
        for (float factor : file.floats(tensor)) {
            list.add(factor);
        }
    }

    /** A layer without key and value heads is a convolution. */
    private void layerTypes() {
        Object counts = file.metadata().get(prefix + "attention.head_count_kv");
        ArrayNode types = json.putArray("layer_types");
        for (int layer = 0; layer < config.layers(); layer++) {
            boolean attends = !(counts instanceof List<?> each)
                    || layer < each.size() && !Long.valueOf(0).equals(each.get(layer));
            types.add(attends ? "full_attention" : "conv");
        }
    }
}
