package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Qwen 3 (Yang et al., arXiv:2505.09388): q and k are normalized head by head. */
class Qwen3 extends Transformer {

    Qwen3(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean sliding = settings.flag("use_sliding_window", false) && slides(layer);
        return super.attention(layer, p)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(sliding ? settings.count("sliding_window", 0) : 0);
    }
}
