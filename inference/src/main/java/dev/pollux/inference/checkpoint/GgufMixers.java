package dev.pollux.inference.checkpoint;

import java.util.Map;

/** The architectures of GGUF files with recurrent layers. */
final class GgufMixers {

    /** {@code ssm_a} is stored as −exp of the logarithm; see {@link GgufTensors}. */
    private static final Map<String, String> MIXER = Map.of(
            "attn_norm", "norm",
            "ssm_in", "mixer.in_proj",
            "ssm_conv1d", "mixer.conv1d",
            "ssm_a", "mixer.A_log",
            "ssm_d", "mixer.D",
            "ssm_dt.bias", "mixer.dt_bias",
            "ssm_norm", "mixer.norm",
            "ssm_out", "mixer.out_proj");

    private static final Map<String, String> BACKBONE =
            Map.of("blk", "backbone.layers", "token_embd", "backbone.embeddings", "output_norm", "backbone.norm_f");

    private static final GgufFamily MAMBA = GgufFamily.of("MambaForCausalLM")
            .naming(BACKBONE)
            .naming(MIXER)
            .naming(Map.of(
                    "ssm_x", "mixer.x_proj",
                    "ssm_dt", "mixer.dt_proj",
                    "ssm_dt.bias", "mixer.dt_proj.bias"))
            .reading(Map.of(
                    "state_size", "ssm.state_size",
                    "intermediate_size", "ssm.inner_size",
                    "layer_norm_epsilon", "attention.layer_norm_rms_epsilon"));

    static final GgufFamily FALCON_MAMBA = MAMBA.named("FalconMambaForCausalLM");

    private static final GgufFamily MAMBA_2 = GgufFamily.of("Mamba2ForCausalLM")
            .naming(BACKBONE)
            .naming(MIXER)
            .reading(Map.of(
                    "num_heads", "ssm.time_step_rank",
                    "n_groups", "ssm.group_count",
                    "state_size", "ssm.state_size",
                    "layer_norm_epsilon", "attention.layer_norm_rms_epsilon"));

    private static final GgufFamily NEMOTRON_H = GgufFamily.of("NemotronHForCausalLM")
            .naming(BACKBONE)
            .naming(MIXER)
            .naming(Map.of(
                    "attn_q", "mixer.q_proj",
                    "attn_k", "mixer.k_proj",
                    "attn_v", "mixer.v_proj",
                    "attn_output", "mixer.o_proj",
                    "ffn_up", "mixer.up_proj",
                    "ffn_down", "mixer.down_proj"))
            .naming(Map.of(
                    "ffn_gate_inp", "mixer.gate",
                    "exp_probs_b.bias", "mixer.gate.e_score_correction_bias",
                    "ffn_up_exps", "mixer.experts.%d.up_proj",
                    "ffn_down_exps", "mixer.experts.%d.down_proj",
                    "ffn_up_shexp", "mixer.shared_experts.up_proj",
                    "ffn_down_shexp", "mixer.shared_experts.down_proj"))
            .reading(GgufFamilies.EXPERTS)
            .reading(GgufFamilies.ROUTER)
            .reading(Map.of(
                    "mamba_num_heads", "ssm.time_step_rank",
                    "n_groups", "ssm.group_count",
                    "ssm_state_size", "ssm.state_size",
                    "layer_norm_epsilon", "attention.layer_norm_epsilon"))
            .taking(Map.of("time_step_min", 0.001)); // the format has no key for it

    private static final Map<String, String> HYBRID = Map.of(
            "ssm_in", "mamba.in_proj",
            "ssm_conv1d", "mamba.conv1d",
            "ssm_a", "mamba.A_log",
            "ssm_d", "mamba.D",
            "ssm_dt.bias", "mamba.dt_bias",
            "ssm_norm", "mamba.norm",
            "ssm_out", "mamba.out_proj");

    private static final GgufFamily GRANITE_HYBRID = GgufFamily.of("GraniteMoeHybridForCausalLM")
            .inPairs()
            .naming(HYBRID)
            .naming(Map.of(
                    "ffn_gate", "shared_mlp.gate_proj",
                    "ffn_up", "shared_mlp.up_proj",
                    "ffn_down", "shared_mlp.output_linear",
                    "ffn_gate_shexp", "shared_mlp.gate_proj",
                    "ffn_up_shexp", "shared_mlp.up_proj",
                    "ffn_down_shexp", "shared_mlp.output_linear"))
            .naming(Map.of(
                    "ffn_gate_inp", "block_sparse_moe.router.layer",
                    "ffn_gate_exps", "block_sparse_moe.experts.%d.gate_proj",
                    "ffn_up_exps", "block_sparse_moe.experts.%d.up_proj",
                    "ffn_down_exps", "block_sparse_moe.experts.%d.down_proj"))
            .reading(GgufFamilies.EXPERTS)
            .reading(Map.of(
                    "embedding_multiplier", "embedding_scale",
                    "residual_multiplier", "residual_scale",
                    "attention_multiplier", "attention.scale",
                    "logits_scaling", "logit_scale",
                    "mamba_n_heads", "ssm.time_step_rank",
                    "mamba_n_groups", "ssm.group_count",
                    "mamba_d_state", "ssm.state_size"));

    /** The factors of its branches are already multiplied into the weights. */
    private static final GgufFamily FALCON_H1 = GgufFamily.of("FalconH1ForCausalLM")
            .naming(Map.of(
                    "output_norm", "model.final_layernorm",
                    "ffn_norm", "pre_ff_layernorm",
                    "ffn_gate", "feed_forward.gate_proj",
                    "ffn_up", "feed_forward.up_proj",
                    "ffn_down", "feed_forward.down_proj"))
            .naming(HYBRID)
            .reading(Map.of(
                    "mamba_n_heads", "ssm.time_step_rank",
                    "mamba_n_groups", "ssm.group_count",
                    "mamba_d_state", "ssm.state_size"))
            .taking(Map.of("mamba_norm_before_gate", false));

    /** Norms are stored with 1 added; value heads are interleaved over the key heads. */
    private static final GgufFamily QWEN_35 = GgufFamily.of("Qwen3_5ForCausalLM")
            .shifted(1)
            .naming(Map.of(
                    "post_attention_norm", "post_attention_layernorm",
                    "attn_qkv", "linear_attn.in_proj_qkv",
                    "attn_gate", "linear_attn.in_proj_z",
                    "ssm_alpha", "linear_attn.in_proj_a",
                    "ssm_beta", "linear_attn.in_proj_b",
                    "ssm_conv1d", "linear_attn.conv1d",
                    "ssm_a", "linear_attn.A_log",
                    "ssm_dt.bias", "linear_attn.dt_bias",
                    "ssm_norm", "linear_attn.norm",
                    "ssm_out", "linear_attn.out_proj"))
            .naming(GgufFamilies.MLP_EXPERTS)
            .naming(GgufFamilies.SHARED_EXPERT)
            .reading(GgufFamilies.EXPERTS)
            .reading(Map.of(
                    "linear_num_key_heads", "ssm.group_count",
                    "linear_num_value_heads", "ssm.time_step_rank",
                    "linear_key_head_dim", "ssm.state_size",
                    "full_attention_interval", "full_attention_interval"))
            .taking(Map.of("norm_topk_prob", true, "linear_heads_in_turns", true));

    private static final GgufFamily QWEN_3_NEXT = QWEN_35.named("Qwen3NextForCausalLM")
            .naming(Map.of("ssm_ba", "linear_attn.in_proj_ba"))
            .taking(Map.of("linear_heads_in_turns", false));

    static final Map<String, GgufFamily> FAMILIES = Map.of(
            "falcon-h1", FALCON_H1,
            "granitehybrid", GRANITE_HYBRID,
            "mamba", MAMBA,
            "mamba2", MAMBA_2,
            "nemotron_h", NEMOTRON_H,
            "nemotron_h_moe", NEMOTRON_H,
            "qwen35", QWEN_35,
            "qwen35moe", QWEN_35,
            "qwen3next", QWEN_3_NEXT);

    private GgufMixers() {}
}
