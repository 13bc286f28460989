package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/**
 * Gemma 2 (Gemma team, arXiv:2408.00118): norms with 1 + w before and after attention and MLP, soft caps on scores and
 * logits, every other layer slides.
 */
class Gemma2 extends Transformer {

    Gemma2(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return super.norm().withOffset(1);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), Math.sqrt(config.hiddenSize()));
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value attended = attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight"));
        x.add(after(p + "norm2", attended, at(layer) + "post_attention_layernorm.weight"));
        Value written = mlp(layer, p, x.norm(norm(), p + "norm3", at(layer) + "pre_feedforward_layernorm.weight"));
        x.add(after(p + "norm4", written, at(layer) + "post_feedforward_layernorm.weight"));
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p)
                .scale(1 / Math.sqrt(settings.positive("query_pre_attn_scalar", 256)))
                .softCap(settings.number("attn_logit_softcapping", 0))
                .window(slidesHere(layer) ? settings.count("sliding_window", 0) : 0);
    }

    /** Configurations of transformers 4 do not list the layers: the even ones slide. */
    boolean slidesHere(int layer) {
        return settings.has("layer_types") ? slides(layer) : layer % 2 == 0;
    }

    @Override
    String activation() {
        return settings.text("hidden_activation", "gelu_pytorch_tanh");
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, settings.number("final_logit_softcapping", 0));
    }
}
