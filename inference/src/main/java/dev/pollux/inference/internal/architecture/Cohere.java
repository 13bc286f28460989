package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;

/** Cohere Command R: parallel attention and MLP after one norm without bias, neighbours rotated, scaled logits. */
class Cohere extends Transformer {

    Cohere(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm", at(layer) + "input_layernorm.weight");
        x.add(attention(layer, p, normed));
        x.add(mlp(layer, p, normed));
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
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", settings.number("logit_scale", 1), 0);
    }
}
