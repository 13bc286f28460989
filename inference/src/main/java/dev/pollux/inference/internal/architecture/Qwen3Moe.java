package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** Qwen 3 with experts (Yang et al., arXiv:2505.09388). */
final class Qwen3Moe extends Transformer {

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
        String at = at(layer) + "mlp.";
        boolean dense = settings.numbers("mlp_only_layers").contains((double) layer)
                || (layer + 1) % settings.integer("decoder_sparse_step", 1) != 0;
        if (dense) {
            return super.mlp(layer, p, normed);
        }
        int count =
                settings.has("num_experts") ? settings.integer("num_experts") : settings.integer("num_local_experts");
        Experts experts = new Experts(b, p, normed, count, settings.integer("num_experts_per_tok"));
        Value weights =
                experts.chosenOfSoftmax(experts.logits(at + "gate.weight"), settings.flag("norm_topk_prob", false));
        int width = settings.integer("moe_intermediate_size");
        return experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
    }
}
