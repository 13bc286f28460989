package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/** Nemotron-H (NVIDIA, arXiv:2504.03624): each layer one mixer, Mamba-2, attention without rotation, or a plain MLP. */
final class NemotronH extends Backbone {

    NemotronH(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root() + "layers." + layer + ".";
        Value normed = x.norm(norm(), p + "norm", at + "norm.weight");
        switch (type(layer)) {
            case "linear_attention", "mamba", "M" -> x.add(mixer(at + "mixer.").write(b, layer, p, normed));
            case "full_attention", "attention", "*" -> x.add(new Attention(b, layer, p).write(normed, at + "mixer."));
            case "mlp", "-" -> x.add(mlp(at + "mixer.", p, normed));
            case "moe", "E" -> x.add(experts(at + "mixer.", p, normed));
            default ->
                throw new UnsupportedModelException(settings.file() + ": layer " + layer + " is of the type '"
                        + type(layer) + "'; only linear_attention, full_attention, mlp and moe are supported");
        }
    }

    private String type(int layer) {
        List<String> types = settings.texts("layers_block_type");
        String pattern = settings.text("hybrid_override_pattern", "");
        if (layer < types.size()) {
            return types.get(layer);
        }
        return layer < pattern.length() ? pattern.substring(layer, layer + 1) : "absent";
    }

    /** The lower limit of a step is that of training. */
    private Mamba2Mixer mixer(String at) {
        return new Mamba2Mixer(
                at,
                settings.integer("mamba_num_heads"),
                settings.integer("mamba_head_dim"),
                settings.integer("n_groups"),
                settings.integer("ssm_state_size"),
                settings.number("layer_norm_epsilon", 1e-5),
                new Mamba2Mixer.Limits(settings.number("time_step_min", 0), Double.POSITIVE_INFINITY),
                settings.text("mamba_hidden_act", "silu"),
                Mamba2Mixer.Gating.BEFORE_NORM);
    }

    private Value mlp(String at, String p, Value x) {
        return b.plainMlp(p, x, at + "up_proj.weight", at + "down_proj.weight", activation());
    }

    /** A grouped sigmoid router as in DeepSeek V3; one expert is shared by all tokens. Experts may work on a latent. */
    private Value experts(String at, String p, Value normed) {
        int hidden = config.hiddenSize();
        int width = settings.integer("moe_latent_size", hidden);
        boolean latent = settings.has("moe_latent_size");
        Value read = latent ? b.project(normed, p + "latent", at + "fc1_latent_proj.weight", width, hidden) : normed;
        int count = settings.integer("n_routed_experts");
        Experts experts = new Experts(b, p, read, count, settings.integer("num_experts_per_tok"));
        Value flat = latent ? b.reshaped(normed, p + "router.flat", -1, hidden) : Value.NONE;
        Value logits = latent ? experts.logits(flat, at + "gate.weight") : experts.logits(at + "gate.weight");
        Value scores = b.op("Sigmoid", p + "scores", logits);
        Value choice = experts.bestGroups(
                experts.biased(scores, at + "gate.e_score_correction_bias"),
                settings.integer("n_group", 1),
                settings.integer("topk_group", 1),
                2);
        double epsilon = settings.flag("norm_topk_prob", true) ? 1e-20 : -1;
        Value weights = experts.chosenBy(scores, choice, epsilon, settings.number("routed_scaling_factor", 1));
        Value routed = experts.write(weights, (e, q, x) -> expert(at + "experts." + e + ".", q, x, width));
        Value wide =
                latent ? b.project(routed, p + "latent.out", at + "fc2_latent_proj.weight", hidden, width) : routed;
        return b.op("Add", p + "moe", wide, mlp(at + "shared_experts.", p + "shared.", normed));
    }

    private Value expert(String at, String p, Value x, int columns) {
        int width = b.tensors.require(at + "up_proj.weight").dim(0);
        Value inner = b.project(x, p + "up", at + "up_proj.weight", width, columns);
        Value active = b.activation(activation(), inner, p + "active");
        return b.project(active, p + "down", at + "down_proj.weight", columns, width);
    }

    @Override
    String activation() {
        return settings.text("mlp_hidden_act", "relu2");
    }
}
