package dev.pollux.inference.checkpoint;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The supported architectures of GGUF files. Names and layouts are those of llama.cpp's converter. */
public final class GgufFamilies {

    private static final Map<String, String> AFTER =
            Map.of("post_attention_norm", "post_attention_layernorm", "post_ffw_norm", "post_feedforward_layernorm");

    private static final Map<String, String> SLIDING = Map.of("sliding_window", "attention.sliding_window");

    static final GgufFamily LLAMA = GgufFamily.of("LlamaForCausalLM").inPairs();

    static final GgufFamily MIXTRAL = GgufFamily.of("MixtralForCausalLM")
            .inPairs()
            .naming(Map.of(
                    "ffn_gate_inp", "block_sparse_moe.gate",
                    "ffn_gate_exps", "block_sparse_moe.experts.%d.w1",
                    "ffn_down_exps", "block_sparse_moe.experts.%d.w2",
                    "ffn_up_exps", "block_sparse_moe.experts.%d.w3"))
            .reading(Map.of("num_local_experts", "expert_count", "num_experts_per_tok", "expert_used_count"));

    private static final GgufFamily LFM2 = GgufFamily.of("Lfm2ForCausalLM")
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

    static final GgufFamily OLMO_3 =
            GgufFamily.of("Olmo3ForCausalLM").naming(AFTER).reading(SLIDING);

    static final Map<String, String> EXPERTS = Map.of(
            "num_experts", "expert_count",
            "num_local_experts", "expert_count",
            "num_experts_per_tok", "expert_used_count",
            "moe_intermediate_size", "expert_feed_forward_length",
            "shared_expert_intermediate_size", "expert_shared_feed_forward_length");

    static final Map<String, String> MLP_EXPERTS = Map.of(
            "ffn_gate_inp", "mlp.gate",
            "ffn_gate_exps", "mlp.experts.%d.gate_proj",
            "ffn_up_exps", "mlp.experts.%d.up_proj",
            "ffn_down_exps", "mlp.experts.%d.down_proj");

    static final Map<String, String> SHARED_EXPERT = Map.of(
            "ffn_gate_inp_shexp", "mlp.shared_expert_gate",
            "ffn_gate_shexp", "mlp.shared_expert.gate_proj",
            "ffn_up_shexp", "mlp.shared_expert.up_proj",
            "ffn_down_shexp", "mlp.shared_expert.down_proj");

    static final Map<String, String> ROUTER = Map.of(
            "n_routed_experts", "expert_count",
            "routed_scaling_factor", "expert_weights_scale",
            "norm_topk_prob", "expert_weights_norm",
            "n_group", "expert_group_count",
            "topk_group", "expert_group_used_count");

    private static final GgufFamily DEEPSEEK = GgufFamily.of("DeepseekV3ForCausalLM")
            .naming(Map.of(
                    "attn_q_a", "self_attn.q_a_proj",
                    "attn_q_b", "self_attn.q_b_proj",
                    "attn_q_a_norm", "self_attn.q_a_layernorm",
                    "attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa",
                    "attn_kv_a_norm", "self_attn.kv_a_layernorm",
                    "attn_kv_b", "self_attn.kv_b_proj",
                    "attn_k_b", "self_attn.k_b_proj",
                    "attn_v_b", "self_attn.v_b_proj",
                    "exp_probs_b.bias", "mlp.gate.e_score_correction_bias"))
            .naming(MLP_EXPERTS)
            .naming(Map.of(
                    "ffn_gate_shexp", "mlp.shared_experts.gate_proj",
                    "ffn_up_shexp", "mlp.shared_experts.up_proj",
                    "ffn_down_shexp", "mlp.shared_experts.down_proj"))
            .reading(EXPERTS)
            .reading(ROUTER)
            .reading(Map.of(
                    "q_lora_rank", "attention.q_lora_rank",
                    "kv_lora_rank", "attention.kv_lora_rank",
                    "qk_rope_head_dim", "rope.dimension_count",
                    "first_k_dense_replace", "leading_dense_block_count",
                    "n_shared_experts", "expert_shared_count"));

    static final GgufFamily DEEPSEEK_V2 = DEEPSEEK.named("DeepseekV2ForCausalLM");

    private static final GgufFamily GEMMA_4 = GgufFamily.of("Gemma4ForCausalLM")
            .naming(AFTER)
            .naming(Map.of(
                    "ffn_norm", "pre_feedforward_layernorm",
                    "layer_output_scale.weight", "layer_scalar",
                    "inp_gate", "per_layer_input_gate",
                    "proj", "per_layer_projection",
                    "post_norm", "post_per_layer_input_norm",
                    "per_layer_token_embd", "model.embed_tokens_per_layer",
                    "per_layer_model_proj", "model.per_layer_model_projection",
                    "per_layer_proj_norm", "model.per_layer_projection_norm"))
            .naming(Map.of(
                    "post_ffw_norm_1", "post_feedforward_layernorm_1",
                    "pre_ffw_norm_2", "pre_feedforward_layernorm_2",
                    "post_ffw_norm_2", "post_feedforward_layernorm_2",
                    "ffn_gate_inp", "router.proj",
                    "ffn_gate_inp.scale", "router.scale",
                    "ffn_down_exps.scale", "router.per_expert_scale",
                    "ffn_gate_up_exps", "experts.%d.gate_up_proj",
                    "ffn_gate_exps", "experts.%d.gate_proj",
                    "ffn_up_exps", "experts.%d.up_proj",
                    "ffn_down_exps", "experts.%d.down_proj"))
            .reading(SLIDING)
            .reading(EXPERTS)
            .reading(Map.of(
                    "final_logit_softcapping", "final_logit_softcapping",
                    "top_k_experts", "expert_used_count",
                    "num_kv_shared_layers", "attention.shared_kv_layers",
                    "hidden_size_per_layer_input", "embedding_length_per_layer_input",
                    "global_head_dim", "attention.key_length",
                    "head_dim", "attention.key_length_swa"));

    private static final GgufFamily GPT_2 = GgufFamily.of("GPT2LMHeadModel")
            .naming(Map.of(
                    "blk", "transformer.h",
                    "token_embd", "transformer.wte",
                    "position_embd", "transformer.wpe",
                    "output_norm", "transformer.ln_f",
                    "attn_norm", "ln_1",
                    "ffn_norm", "ln_2",
                    "attn_qkv", "attn.c_attn.linear",
                    "attn_output", "attn.c_proj.linear",
                    "ffn_up", "mlp.c_fc.linear",
                    "ffn_down", "mlp.c_proj.linear"))
            .reading(Map.of("layer_norm_epsilon", "attention.layer_norm_epsilon"));

    private static final GgufFamily GPT_NEOX = GgufFamily.of("GPTNeoXForCausalLM")
            .naming(Map.of(
                    "blk", "gpt_neox.layers",
                    "token_embd", "gpt_neox.embed_in",
                    "output_norm", "gpt_neox.final_layer_norm",
                    "output", "embed_out",
                    "attn_qkv", "attention.query_key_value.linear",
                    "attn_output", "attention.dense",
                    "ffn_up", "mlp.dense_h_to_4h",
                    "ffn_down", "mlp.dense_4h_to_h"))
            .reading(Map.of(
                    "layer_norm_eps",
                    "attention.layer_norm_epsilon",
                    "use_parallel_residual",
                    "use_parallel_residual"));

    private static final Map<String, GgufFamily> ATTENTION = Map.ofEntries(
            Map.entry("llama", LLAMA),
            Map.entry("arcee", GgufFamily.of("ArceeForCausalLM").inPairs()),
            Map.entry("chatglm", GgufFamily.of("GlmForCausalLM").naming(Map.of("ffn_up", "mlp.gate_up_proj"))),
            Map.entry(
                    "cohere2",
                    GgufFamily.of("Cohere2ForCausalLM")
                            .reading(SLIDING)
                            .reading(Map.of(
                                    "logit_scale", "logit_scale", "layer_norm_eps", "attention.layer_norm_epsilon"))),
            Map.entry("deepseek2", DEEPSEEK),
            Map.entry("ernie4_5", GgufFamily.of("Ernie4_5ForCausalLM")),
            Map.entry(
                    "exaone4", GgufFamily.of("Exaone4ForCausalLM").naming(AFTER).reading(SLIDING)),
            Map.entry("gemma", GgufFamily.of("GemmaForCausalLM").shifted(1)),
            Map.entry("gemma4", GEMMA_4),
            Map.entry("gpt2", GPT_2),
            Map.entry("gptneox", GPT_NEOX),
            Map.entry(
                    "mistral3", GgufFamily.of("Ministral3ForCausalLM").inPairs().reading(SLIDING)),
            Map.entry(
                    "olmoe",
                    GgufFamily.of("OlmoeForCausalLM").naming(MLP_EXPERTS).reading(EXPERTS)),
            Map.entry(
                    "qwen2moe",
                    GgufFamily.of("Qwen2MoeForCausalLM")
                            .naming(MLP_EXPERTS)
                            .naming(SHARED_EXPERT)
                            .reading(EXPERTS)),
            Map.entry(
                    "seed_oss",
                    GgufFamily.of("SeedOssForCausalLM")
                            .naming(Map.of("post_attention_norm", "post_attention_layernorm"))),
            Map.entry(
                    "starcoder2",
                    GgufFamily.of("Starcoder2ForCausalLM")
                            .naming(Map.of("ffn_up", "mlp.c_fc", "ffn_down", "mlp.c_proj"))
                            .reading(SLIDING)
                            .reading(Map.of("norm_epsilon", "attention.layer_norm_epsilon"))),
            Map.entry("qwen2", GgufFamily.of("Qwen2ForCausalLM")),
            Map.entry("qwen3", GgufFamily.of("Qwen3ForCausalLM")),
            Map.entry(
                    "qwen3moe",
                    GgufFamily.of("Qwen3MoeForCausalLM")
                            .naming(Map.of(
                                    "ffn_gate_inp", "mlp.gate",
                                    "ffn_gate_exps", "mlp.experts.%d.gate_proj",
                                    "ffn_up_exps", "mlp.experts.%d.up_proj",
                                    "ffn_down_exps", "mlp.experts.%d.down_proj"))
                            .reading(EXPERTS)
                            .taking(Map.of("norm_topk_prob", true))),
            Map.entry(
                    "gemma2",
                    GgufFamily.of("Gemma2ForCausalLM")
                            .naming(AFTER)
                            .naming(Map.of("ffn_norm", "pre_feedforward_layernorm"))
                            .shifted(1)
                            .reading(SLIDING)
                            .reading(Map.of(
                                    "attn_logit_softcapping", "attn_logit_softcapping",
                                    "final_logit_softcapping", "final_logit_softcapping"))),
            Map.entry(
                    "gemma3",
                    GgufFamily.of("Gemma3ForCausalLM")
                            .naming(AFTER)
                            .naming(Map.of("ffn_norm", "pre_feedforward_layernorm"))
                            .shifted(1)
                            .reading(SLIDING)
                            .reading(Map.of(
                                    "final_logit_softcapping", "final_logit_softcapping",
                                    "rope_local_base_freq", "rope.freq_base_swa"))),
            Map.entry(
                    "phi3",
                    GgufFamily.of("Phi3ForCausalLM")
                            .naming(Map.of("attn_qkv", "self_attn.qkv_proj", "ffn_up", "mlp.gate_up_proj"))
                            .reading(SLIDING)),
            Map.entry(
                    "granite",
                    GgufFamily.of("GraniteForCausalLM")
                            .inPairs()
                            .reading(Map.of(
                                    "embedding_multiplier", "embedding_scale",
                                    "residual_multiplier", "residual_scale",
                                    "attention_multiplier", "attention.scale",
                                    "logits_scaling", "logit_scale"))),
            Map.entry("olmo2", GgufFamily.of("Olmo2ForCausalLM").naming(AFTER)),
            Map.entry(
                    "smollm3",
                    GgufFamily.of("SmolLM3ForCausalLM").inPairs().taking(Map.of("no_rope_layer_interval", 4))),
            Map.entry("lfm2", LFM2),
            Map.entry(
                    "lfm2moe",
                    LFM2.named("Lfm2MoeForCausalLM")
                            .naming(Map.of(
                                    "ffn_gate_inp", "feed_forward.gate",
                                    "exp_probs_b", "feed_forward.expert_bias",
                                    "ffn_gate_exps", "feed_forward.experts.%d.w1",
                                    "ffn_down_exps", "feed_forward.experts.%d.w2",
                                    "ffn_up_exps", "feed_forward.experts.%d.w3"))
                            .reading(EXPERTS)),
            Map.entry(
                    "gpt-oss",
                    GgufFamily.of("GptOssForCausalLM")
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
                    GgufFamily.of("Glm4ForCausalLM")
                            .naming(Map.of(
                                    "post_attention_norm", "post_self_attn_layernorm",
                                    "post_ffw_norm", "post_mlp_layernorm",
                                    "ffn_up", "mlp.gate_up_proj"))),
            Map.entry(
                    "command-r",
                    GgufFamily.of("CohereForCausalLM")
                            .reading(Map.of(
                                    "logit_scale", "logit_scale", "layer_norm_eps", "attention.layer_norm_epsilon"))));

    private static final Map<String, GgufFamily> KNOWN = known(ATTENTION, GgufMixers.FAMILIES);

    private GgufFamilies() {}

    private static Map<String, GgufFamily> known(Map<String, GgufFamily> some, Map<String, GgufFamily> others) {
        Map<String, GgufFamily> all = new TreeMap<>(some);
        all.putAll(others);
        return all;
    }

    /** The family of a {@code general.architecture}; null if it is not known. */
    public static @Nullable GgufFamily named(String architecture) {
        return KNOWN.get(architecture);
    }

    /** The architectures that {@link #named} knows. */
    public static List<String> known() {
        return List.copyOf(KNOWN.keySet());
    }

    /** The GGUF architectures with the Hugging Face classes to which they are mapped. */
    static SortedMap<String, List<String>> architectures() {
        SortedMap<String, List<String>> architectures = new TreeMap<>();
        KNOWN.forEach((name, family) -> architectures.put(name, List.of(family.architecture())));
        architectures.put("llama", List.of(LLAMA.architecture(), MIXTRAL.architecture()));
        architectures.put("deepseek2", List.of(DEEPSEEK_V2.architecture(), DEEPSEEK.architecture()));
        architectures.put("granitehybrid", List.of("BambaForCausalLM", "GraniteMoeHybridForCausalLM"));
        architectures.put("mamba", List.of("FalconMambaForCausalLM", "MambaForCausalLM"));
        architectures.put("olmo2", List.of("Olmo2ForCausalLM", OLMO_3.architecture()));
        return architectures;
    }
}
