package dev.pollux.inference.gguf;

import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Rotary settings as metadata of GGUF.
 *
 * <pre>
 * linear     rope.scaling.type, factor
 * yarn       the same, original_context_length, yarn_beta_fast, yarn_beta_slow
 * llama3     the tensor rope_freqs.weight: θ_i / θ'_i for each pair i
 * longrope   the tensors rope_factors_long.weight and rope_factors_short.weight; original_context_length, attn_factor
 * </pre>
 */
final class HubRotary {

    private static final Set<String> YARN = Set.of("llama", "qwen2", "qwen3", "qwen3moe");

    private final HubMetadata metadata;
    private final ModelConfig config;
    private final Settings settings;
    private final Map<String, List<Float>> factors = new LinkedHashMap<>();

    HubRotary(HubMetadata metadata, ModelConfig config, Settings settings) {
        this.metadata = metadata;
        this.config = config;
        this.settings = settings;
    }

    Map<String, List<Float>> factors() {
        return factors;
    }

    void write() {
        Settings rope =
                settings.at("rope_parameters").isEmpty() ? settings.at("rope_scaling") : settings.at("rope_parameters");
        Settings full = rope.at("full_attention").isEmpty() ? rope : rope.at("full_attention");
        double theta = full.positive("rope_theta", settings.positive("rope_theta", defaultTheta()));
        metadata.number("rope.freq_base", theta);
        if (metadata.architecture().equals("gemma3")) {
            double local = rope.at("sliding_attention")
                    .positive("rope_theta", settings.positive("rope_local_base_freq", 10_000));
            metadata.number("rope.freq_base_swa", local);
        }
        double part = full.number("partial_rotary_factor", settings.number("partial_rotary_factor", 1));
        if (part != 1 && !metadata.architecture().equals("phi3")) {
            throw metadata.refused("partial_rotary_factor must be 1 but is " + part);
        }
        metadata.count("rope.dimension_count", (long) (config.headDim() * part));
        scaling(full, full.text("rope_type", full.text("type", "default")), theta);
    }

    private double defaultTheta() {
        return metadata.architecture().equals("gemma3") ? 1_000_000 : 10_000;
    }

    private void scaling(Settings rope, String type, double theta) {
        switch (type) {
            case "default", "dynamic" -> {} // dynamic scaling changes nothing within the context
            case "linear" -> {
                metadata.text("rope.scaling.type", "linear");
                metadata.number("rope.scaling.factor", rope.positive("factor", 1));
            }
            case "yarn" -> yarn(rope);
            case "llama3" -> llama3(rope, theta);
            case "longrope", "su" -> longRope(rope);
            default -> throw metadata.refused("the rotary scaling '" + type + "' has no equivalent");
        }
    }

    private void yarn(Settings rope) {
        boolean plain =
                List.of("attention_factor", "mscale", "mscale_all_dim").stream().noneMatch(rope::has)
                        && rope.flag("truncate", true);
        if (!YARN.contains(metadata.architecture()) || !plain) {
            throw metadata.refused(
                    "the rotary scaling 'yarn' must have the default attention factor and an architecture of "
                            + YARN.stream().sorted().toList());
        }
        metadata.text("rope.scaling.type", "yarn");
        metadata.number("rope.scaling.factor", rope.positive("factor", 1));
        metadata.count(
                "rope.scaling.original_context_length",
                rope.integer("original_max_position_embeddings", config.contextLength()));
        metadata.number("rope.scaling.yarn_beta_fast", rope.positive("beta_fast", 32));
        metadata.number("rope.scaling.yarn_beta_slow", rope.positive("beta_slow", 1));
    }

    private void llama3(Settings rope, double theta) {
        if (!metadata.architecture().equals("llama")) {
            throw metadata.refused("the rotary scaling 'llama3' needs the architecture llama");
        }
        RotaryScaling scaling = new RotaryScaling.Llama3(
                rope.positive("factor", 1),
                rope.positive("low_freq_factor", 1),
                rope.positive("high_freq_factor", 4),
                rope.positive("original_max_position_embeddings", config.contextLength()));
        double[] base = new double[config.headDim() / 2];
        for (int i = 0; i < base.length; i++) {
            base[i] = Math.pow(theta, -2.0 * i / config.headDim());
        }
        double[] scaled = scaling.apply(base, theta);
        List<Float> ratios = new ArrayList<>();
        for (int i = 0; i < base.length; i++) {
            ratios.add((float) (base[i] / scaled[i]));
        }
        factors.put("rope_freqs.weight", ratios);
    }

    private void longRope(Settings rope) {
        if (!metadata.architecture().equals("phi3")) {
            throw metadata.refused("the rotary scaling 'longrope' needs the architecture phi3");
        }
        int original = rope.integer(
                "original_max_position_embeddings",
                settings.integer("original_max_position_embeddings", config.contextLength()));
        double scale = (double) config.contextLength() / original;
        double attention = scale <= 1 ? 1 : Math.sqrt(1 + Math.log(scale) / Math.log(original));
        metadata.count("rope.scaling.original_context_length", original);
        metadata.number("rope.scaling.attn_factor", rope.positive("attention_factor", attention));
        for (String kind : List.of("long", "short")) {
            factors.put(
                    "rope_factors_" + kind + ".weight",
                    rope.numbers(kind + "_factor").stream()
                            .map(Double::floatValue)
                            .toList());
        }
    }
}
