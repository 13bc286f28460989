package dev.pollux.inference.decoder;

import dev.pollux.UnsupportedModelException;
import java.util.List;

/** Nemotron-H (NVIDIA, arXiv:2504.03624): each layer one mixer, Mamba-2, attention without rotation, or a plain MLP. */
final class NemotronH extends Transformer {

    private final String root;

    NemotronH(Blocks b) {
        super(b);
        root = b.tensors.has("backbone.embeddings.weight") ? "backbone." : "model.";
    }

    @Override
    Norm norm() {
        return Norm.rms(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    String embedding() {
        return b.embed(root + "embeddings.weight");
    }

    @Override
    String finalNorm() {
        return root + "norm_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root + "layers." + layer + ".";
        String normed = x.norm(norm(), p + "norm", at + "norm.weight");
        switch (type(layer)) {
            case "linear_attention", "mamba", "M" -> x.add(mixer(at + "mixer.").write(b, layer, p, normed));
            case "full_attention", "attention", "*" -> x.add(new Attention(b, layer, p).write(normed, at + "mixer."));
            case "mlp", "-" -> x.add(mlp(at + "mixer.", p, normed));
            default ->
                throw new UnsupportedModelException(settings.file() + ": layer " + layer + " is of the type '"
                        + type(layer) + "'; only linear_attention, full_attention and mlp are supported");
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

    /** The norm of the gate has as many groups as B and C; a step is at least the least of training. */
    private Mamba2Mixer mixer(String at) {
        int groups = settings.integer("n_groups");
        return new Mamba2Mixer(
                at,
                settings.integer("mamba_num_heads"),
                settings.integer("mamba_head_dim"),
                groups,
                settings.integer("ssm_state_size"),
                groups,
                settings.number("layer_norm_epsilon", 1e-5),
                settings.number("time_step_min", 0),
                Double.POSITIVE_INFINITY);
    }

    private String mlp(String at, String p, String normed) {
        int width = b.tensors.require(at + "up_proj.weight").dim(0);
        String up = b.project(normed, p + "up", at + "up_proj.weight", width, config.hiddenSize());
        String active = b.activation(settings.text("mlp_hidden_act", "relu2"), up, p + "active");
        return b.project(active, p + "down", at + "down_proj.weight", config.hiddenSize(), width);
    }
}
