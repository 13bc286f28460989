package dev.pollux.finetune.merge;

import dev.pollux.inference.internal.ObjectNode;
import java.util.List;
import java.util.Optional;

/** The target architectures of mixtures, by dense architecture. */
enum MixtureTarget {
    /** Llama and Mistral become Mixtral (arXiv 2401.04088), in the names of transformers 5: all experts in two tensors. */
    MIXTRAL("MixtralForCausalLM", "mixtral", List.of("LlamaForCausalLM", "MistralForCausalLM"), 0),
    /** Qwen 2 becomes Qwen 2 with experts (arXiv 2407.10671), which has a shared expert too. */
    QWEN_2("Qwen2MoeForCausalLM", "qwen2_moe", List.of("Qwen2ForCausalLM"), 1),
    /** Qwen 3 becomes Qwen 3 with experts (arXiv 2505.09388). */
    QWEN_3("Qwen3MoeForCausalLM", "qwen3_moe", List.of("Qwen3ForCausalLM"), 0),
    /** LFM2 becomes LFM2 with experts (arXiv 2511.23404), here without biases of experts and without dense layers. */
    LFM_2("Lfm2MoeForCausalLM", "lfm2_moe", List.of("Lfm2ForCausalLM"), 0);

    private static final List<String> PROJECTIONS = List.of("gate_proj", "up_proj", "down_proj");
    private static final List<String> NUMBERED = List.of("w1", "w3", "w2");

    private final String architecture;
    private final String modelType;
    private final List<String> dense;
    private final int sharedExperts;

    MixtureTarget(String architecture, String modelType, List<String> dense, int sharedExperts) {
        this.architecture = architecture;
        this.modelType = modelType;
        this.dense = dense;
        this.sharedExperts = sharedExperts;
    }

    /** The target for a dense model with this configuration. */
    static Optional<MixtureTarget> of(ObjectNode config) {
        String name = architectureOf(config);
        for (MixtureTarget target : values()) {
            if (target.dense.contains(name)) {
                return Optional.of(target);
            }
        }
        return Optional.empty();
    }

    static String architectureOf(ObjectNode config) {
        return config.path("architectures").path(0).asString("");
    }

    static List<String> known() {
        return List.of(values()).stream()
                .flatMap(target -> target.dense.stream())
                .sorted()
                .toList();
    }

    String architecture() {
        return architecture;
    }

    int sharedExperts() {
        return sharedExperts;
    }

    /** The name of a layer's feed-forward part, dense or with experts. */
    String block() {
        return this == LFM_2 ? "feed_forward" : "mlp";
    }

    /** The names of the gate, up and down matrices. */
    List<String> parts() {
        return this == LFM_2 ? NUMBERED : PROJECTIONS;
    }

    /** Whether all experts of a layer are stored in two tensors instead of one tensor per matrix. */
    boolean isFused() {
        return this == MIXTRAL;
    }

    /**
     * Converts the base's configuration to this architecture.
     *
     * @param inner the number of rows of an expert's gate matrix
     */
    ObjectNode config(ObjectNode base, int experts, int expertsPerToken, int inner) {
        ObjectNode config = base.deepCopy();
        config.putArray("architectures").add(architecture);
        config.put("model_type", modelType);
        config.put("num_experts_per_tok", expertsPerToken);
        config.put("output_router_logits", false);
        config.put("router_aux_loss_coef", 0.001);
        for (String key : List.of("mlp_bias", "attention_bias", "pretraining_tp", "_name_or_path")) {
            if (this == MIXTRAL) {
                config.remove(key);
            }
        }
        if (this == MIXTRAL) {
            config.put("num_local_experts", experts);
            rotary(config);
            if (!config.has("sliding_window")) {
                config.putNull("sliding_window");
            }
            return config;
        }
        config.put("num_experts", experts);
        config.put("moe_intermediate_size", inner);
        config.put("norm_topk_prob", true);
        if (this == LFM_2) {
            config.put("num_dense_layers", 0);
            config.put("use_expert_bias", false);
            config.put("routed_scaling_factor", 1.0);
            List.of("block_auto_adjust_ff_dim", "block_ffn_dim_multiplier", "block_multiple_of")
                    .forEach(config::remove); // how a dense model rounds its width
            return config;
        }
        config.put("decoder_sparse_step", 1);
        config.putArray("mlp_only_layers");
        if (this == QWEN_2) {
            config.put("shared_expert_intermediate_size", inner);
        }
        return config;
    }

    /** Writes the rotary settings of transformers 5, since the result has its tensor names. */
    private static void rotary(ObjectNode config) {
        if (!(config.get("rope_parameters") instanceof ObjectNode)) {
            ObjectNode rope =
                    config.get("rope_scaling") instanceof ObjectNode scaling ? scaling.deepCopy() : new ObjectNode();
            rope.put("rope_theta", config.path("rope_theta").asDouble(10_000));
            if (!rope.has("rope_type")) {
                rope.put("rope_type", rope.path("type").asString("default"));
            }
            rope.remove("type");
            config.set("rope_parameters", rope);
        }
        config.remove("rope_theta");
        config.remove("rope_scaling");
    }
}
