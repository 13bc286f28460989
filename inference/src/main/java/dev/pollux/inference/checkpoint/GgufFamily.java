package dev.pollux.inference.checkpoint;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a GGUF architecture is read as one of Hugging Face's: names of tensors, their layout, and settings. <em>Immutable.</em>
 *
 * @param architecture the class name in Hugging Face terms
 * @param names what a layer's tensors are called there, by their GGUF name; {@code %d} stands for the number of an expert
 * @param pairs whether the rows of q and k are stored for rotation of neighbouring pairs
 * @param normShift what was added to the weights of norms
 * @param settings keys of the metadata, without the architecture, by the key of the settings that they are
 * @param fixed settings that the format takes for granted
 */
record GgufFamily(
        String architecture,
        Map<String, String> names,
        boolean pairs,
        double normShift,
        Map<String, String> settings,
        Map<String, Object> fixed) {

    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));

    private static final Map<String, String> AFTER =
            Map.of("post_attention_norm", "post_attention_layernorm", "post_ffw_norm", "post_feedforward_layernorm");

    private static final Map<String, String> SLIDING = Map.of("sliding_window", "attention.sliding_window");

    static final GgufFamily LLAMA = of("LlamaForCausalLM").inPairs();

    static final GgufFamily MIXTRAL = of("MixtralForCausalLM")
            .inPairs()
            .naming(Map.of(
                    "ffn_gate_inp", "block_sparse_moe.gate",
                    "ffn_gate_exps", "block_sparse_moe.experts.%d.w1",
                    "ffn_down_exps", "block_sparse_moe.experts.%d.w2",
                    "ffn_up_exps", "block_sparse_moe.experts.%d.w3"))
            .reading(Map.of("num_local_experts", "expert_count", "num_experts_per_tok", "expert_used_count"));

    private static final GgufFamily LFM2 = of("Lfm2ForCausalLM")
            .naming(Map.of(
                    "attn_norm", "operator_norm",
                    "attn_output", "self_attn.out_proj",
                    "attn_q_norm", "self_attn.q_layernorm",
                    "attn_k_norm", "self_attn.k_layernorm",
                    "shortconv.conv", "conv.conv",
                    "shortconv.in_proj", "conv.in_proj",
                    "shortconv.out_proj", "conv.out_proj",
                    "ffn_norm", "ffn_norm"))
            .naming(Map.of("ffn_gate", "feed_forward.w1", "ffn_up", "feed_forward.w3", "ffn_down", "feed_forward.w2"));

    static final GgufFamily OLMO_3 = of("Olmo3ForCausalLM").naming(AFTER).reading(SLIDING);

    private static final Map<String, String> EXPERTS = Map.of(
            "num_experts", "expert_count",
            "num_local_experts", "expert_count",
            "num_experts_per_tok", "expert_used_count",
            "moe_intermediate_size", "expert_feed_forward_length");

    private static final Map<String, GgufFamily> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("llama", LLAMA),
            Map.entry("qwen2", of("Qwen2ForCausalLM")),
            Map.entry("qwen3", of("Qwen3ForCausalLM")),
            Map.entry(
                    "qwen3moe",
                    of("Qwen3MoeForCausalLM")
                            .naming(Map.of(
                                    "ffn_gate_inp", "mlp.gate",
                                    "ffn_gate_exps", "mlp.experts.%d.gate_proj",
                                    "ffn_up_exps", "mlp.experts.%d.up_proj",
                                    "ffn_down_exps", "mlp.experts.%d.down_proj"))
                            .reading(EXPERTS)
                            .taking(Map.of("norm_topk_prob", true))),
            Map.entry(
                    "gemma2",
                    of("Gemma2ForCausalLM")
                            .naming(AFTER)
                            .naming(Map.of("ffn_norm", "pre_feedforward_layernorm"))
                            .shifted(1)
                            .reading(SLIDING)
                            .reading(Map.of(
                                    "attn_logit_softcapping", "attn_logit_softcapping",
                                    "final_logit_softcapping", "final_logit_softcapping"))),
            Map.entry(
                    "gemma3",
                    of("Gemma3ForCausalLM")
                            .naming(AFTER)
                            .naming(Map.of("ffn_norm", "pre_feedforward_layernorm"))
                            .shifted(1)
                            .reading(SLIDING)
                            .reading(Map.of(
                                    "final_logit_softcapping", "final_logit_softcapping",
                                    "rope_local_base_freq", "rope.freq_base_swa"))),
            Map.entry(
                    "phi3",
                    of("Phi3ForCausalLM")
                            .naming(Map.of("attn_qkv", "self_attn.qkv_proj", "ffn_up", "mlp.gate_up_proj"))
                            .reading(SLIDING)),
            Map.entry(
                    "granite",
                    of("GraniteForCausalLM")
                            .inPairs()
                            .reading(Map.of(
                                    "embedding_multiplier", "embedding_scale",
                                    "residual_multiplier", "residual_scale",
                                    "attention_multiplier", "attention.scale",
                                    "logits_scaling", "logit_scale"))),
            Map.entry("olmo2", of("Olmo2ForCausalLM").naming(AFTER)),
            Map.entry("smollm3", of("SmolLM3ForCausalLM").inPairs().taking(Map.of("no_rope_layer_interval", 4))),
            Map.entry("lfm2", LFM2),
            Map.entry(
                    "lfm2moe",
                    new GgufFamily("Lfm2MoeForCausalLM", LFM2.names, false, 0, Map.of(), Map.of())
                            .naming(Map.of(
                                    "ffn_gate_inp", "feed_forward.gate",
                                    "exp_probs_b", "feed_forward.expert_bias",
                                    "ffn_gate_exps", "feed_forward.experts.%d.w1",
                                    "ffn_down_exps", "feed_forward.experts.%d.w2",
                                    "ffn_up_exps", "feed_forward.experts.%d.w3"))
                            .reading(EXPERTS)),
            Map.entry(
                    "gpt-oss",
                    of("GptOssForCausalLM")
                            .naming(Map.of(
                                    "post_attention_norm", "post_attention_layernorm",
                                    "attn_sinks", "self_attn.sinks",
                                    "ffn_gate_inp", "mlp.router",
                                    "ffn_gate_exps", "mlp.experts.%d.gate_proj",
                                    "ffn_up_exps", "mlp.experts.%d.up_proj",
                                    "ffn_down_exps", "mlp.experts.%d.down_proj"))
                            .reading(EXPERTS)
                            .reading(SLIDING)),
            Map.entry(
                    "glm4",
                    of("Glm4ForCausalLM")
                            .naming(Map.of(
                                    "post_attention_norm", "post_self_attn_layernorm",
                                    "post_ffw_norm", "post_mlp_layernorm",
                                    "ffn_up", "mlp.gate_up_proj"))),
            Map.entry(
                    "command-r",
                    of("CohereForCausalLM")
                            .reading(Map.of(
                                    "logit_scale", "logit_scale", "layer_norm_eps", "attention.layer_norm_epsilon")))));

    /** The family of a {@code general.architecture}; null where it is not known. */
    static @Nullable GgufFamily named(String architecture) {
        return KNOWN.get(architecture);
    }

    /** What {@link #named} knows. */
    static List<String> known() {
        return List.copyOf(KNOWN.keySet());
    }

    /** The GGUF names with the classes they are read as. */
    static SortedMap<String, List<String>> architectures() {
        SortedMap<String, List<String>> architectures = new TreeMap<>();
        KNOWN.forEach((name, family) -> architectures.put(name, List.of(family.architecture())));
        architectures.put("llama", List.of(LLAMA.architecture(), MIXTRAL.architecture()));
        architectures.put("olmo2", List.of("Olmo2ForCausalLM", OLMO_3.architecture()));
        return architectures;
    }

    private static GgufFamily of(String architecture) {
        return new GgufFamily(architecture, NAMES, false, 0, Map.of(), Map.of());
    }

    private GgufFamily inPairs() {
        return new GgufFamily(architecture, names, true, normShift, settings, fixed);
    }

    private GgufFamily shifted(double shift) {
        return new GgufFamily(architecture, names, pairs, shift, settings, fixed);
    }

    private GgufFamily naming(Map<String, String> more) {
        return new GgufFamily(architecture, joined(names, more), pairs, normShift, settings, fixed);
    }

    private GgufFamily reading(Map<String, String> more) {
        return new GgufFamily(architecture, names, pairs, normShift, joined(settings, more), fixed);
    }

    private GgufFamily taking(Map<String, Object> more) {
        Map<String, Object> all = new LinkedHashMap<>(fixed);
        all.putAll(more);
        return new GgufFamily(architecture, names, pairs, normShift, settings, all);
    }

    private static Map<String, String> joined(Map<String, String> a, Map<String, String> b) {
        Map<String, String> both = new HashMap<>(a);
        both.putAll(b);
        return Map.copyOf(both);
    }
}
