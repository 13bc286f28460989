package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;

/**
 * OLMo 2 and 3 (OLMo team, arXiv:2501.00656): norms after attention and MLP instead of before, q and k normalized over all
 * heads; OLMo 3 slides on three of four layers, and scales rotation on the others only.
 */
class Olmo extends Transformer {

    private final boolean third;
    private final Rotary full;
    private final Rotary sliding;

    Olmo(Blocks b) {
        super(b);
        third = config.architecture().equals("Olmo3ForCausalLM");
        Settings rope = ropeSettings();
        Settings ofFull = rope.at("full_attention");
        full = rotary("rotary", ofFull.isEmpty() ? rope : ofFull, config.headDim(), false);
        Settings ofSliding = rope.at("sliding_attention");
        double theta = ofSliding.number("rope_theta", rope.number("rope_theta", settings.number("rope_theta", 10_000)));
        sliding = third ? b.rotary("rotary.sliding", config.headDim(), theta, new RotaryScaling.None(), false) : full;
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(after(p + "norm1", attention(layer, p, x.value()), at(layer) + "post_attention_layernorm.weight"));
        x.add(after(p + "norm2", mlp(layer, p, x.value()), at(layer) + "post_feedforward_layernorm.weight"));
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean slides = third && slides(layer);
        return new Attention(b, layer, p)
                .rotary(slides ? sliding : full)
                .wholeNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(slides ? settings.count("sliding_window", 0) : 0);
    }
}
