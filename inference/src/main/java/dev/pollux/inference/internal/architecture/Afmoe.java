package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Residual;

/**
 * AFM and Trinity with experts (Arcee AI): four norms per layer, an output gate of attention, full layers do not rotate, and
 * a sigmoid router whose stored bias affects only the choice.
 */
final class Afmoe extends Transformer {

    Afmoe(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        boolean scaled = settings.flag("mup_enabled", false);
        return b.scaled(super.embedding(), scaled ? Math.sqrt(config.hiddenSize()) : 1);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value attended = attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight"));
        x.add(after(p + "norm2", attended, at(layer) + "post_attention_layernorm.weight"));
        Value written = mlp(layer, p, x.norm(norm(), p + "norm3", at(layer) + "pre_mlp_layernorm.weight"));
        x.add(after(p + "norm4", written, at(layer) + "post_mlp_layernorm.weight"));
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean slides = settings.has("layer_types")
                ? slides(layer)
                : (layer + 1) % settings.integer("global_attn_every_n_layers", 4) != 0;
        Attention attention = slides
                ? super.attention(layer, p).window(settings.count("sliding_window", 0))
                : new Attention(b, layer, p);
        return attention.headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        int wide = config.heads() * config.headDim();
        Value gate = b.project(normed, p + "g", at + "gate_proj.weight", wide, config.hiddenSize());
        Value attended = attention.attend(attention.project(normed, at));
        Value gated = b.op("Mul", p + "attention.gated", attended, b.op("Sigmoid", p + "g.open", gate));
        return attention.output(gated, at + "o_proj.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return layer < settings.count("num_dense_layers", 1)
                ? super.mlp(layer, p, normed)
                : GroupedExperts.write(this, at(layer) + "mlp.", p, normed, this::weights);
    }

    private Value weights(Experts experts, String p, String at) {
        Value scores = b.op("Sigmoid", p + "scores", experts.logits(at + "router.gate.weight"));
        Value choice = experts.biased(scores, at + "expert_bias");
        return experts.chosenBy(scores, choice, 1e-20, settings.number("route_scale", 1));
    }
}
