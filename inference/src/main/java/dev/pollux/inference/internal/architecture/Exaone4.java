package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;

/** EXAONE 4 (LG AI, arXiv:2507.11407): norms after attention and MLP, of q and k by head; full layers of hybrids do not rotate. */
final class Exaone4 extends Transformer {

    Exaone4(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(after(p + "norm1", attention(layer, p, x.value()), at(layer) + "post_attention_layernorm.weight"));
        x.add(after(p + "norm2", mlp(layer, p, x.value()), at(layer) + "post_feedforward_layernorm.weight"));
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        int window = settings.count("sliding_window", 0);
        boolean rotates = window == 0 || slides(layer);
        Attention attention = rotates ? super.attention(layer, p) : new Attention(b, layer, p);
        return attention
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(slides(layer) ? window : 0);
    }
}
