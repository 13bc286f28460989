package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** GLM-4.5 to 4.7 (arXiv:2508.06471): half of a head rotated, optional norms of q and k, experts of DeepSeek V3. */
final class Glm4Moe extends Transformer {

    Glm4Moe(Blocks b) {
        super(b);
    }

    @Override
    double rotatedShare() {
        return 0.5;
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        Attention attention = super.attention(layer, p);
        return settings.flag("use_qk_norm", false)
                ? attention.headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                : attention;
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return layer < settings.count("first_k_dense_replace", 1)
                ? super.mlp(layer, p, normed)
                : GroupedExperts.write(this, at(layer) + "mlp.", p, normed);
    }
}
