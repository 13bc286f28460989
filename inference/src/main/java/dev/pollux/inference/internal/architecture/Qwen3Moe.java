package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Qwen 3 with experts (Yang et al., arXiv:2505.09388). */
class Qwen3Moe extends Transformer {

    Qwen3Moe(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean sliding = settings.flag("use_sliding_window", false);
        return super.attention(layer, p)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(sliding ? settings.count("sliding_window", 0) : 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return isDense(layer)
                ? super.mlp(layer, p, normed)
                : SoftmaxExperts.write(this, at(layer) + "mlp.", p, normed, settings.integer("moe_intermediate_size"));
    }

    /** Whether a layer has no experts. */
    boolean isDense(int layer) {
        return settings.numbers("mlp_only_layers").contains((double) layer)
                || (layer + 1) % settings.integer("decoder_sparse_step", 1) != 0;
    }
}
