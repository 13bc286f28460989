package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.MambaMixer;
import dev.pollux.inference.internal.layer.Residual;

/** Jamba (AI21, arXiv:2403.19887): Mamba and attention without positions in turns, experts on every other layer. */
final class Jamba extends Transformer {

    Jamba(Blocks b) {
        super(b);
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight");
        boolean attends = layer % settings.integer("attn_layer_period", 8) == settings.count("attn_layer_offset", 4);
        x.add(attends ? new Attention(b, layer, p).write(normed, at(layer) + "self_attn.") : mamba(layer, p, normed));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "pre_ff_layernorm.weight")));
    }

    private Value mamba(int layer, String p, Value normed) {
        MambaMixer mixer = new MambaMixer(
                at(layer) + "mamba.",
                settings.integer("mamba_expand", 2) * config.hiddenSize(),
                settings.integer("mamba_d_state", 16),
                activation(),
                MambaMixer.InputNorms.WEIGHTED,
                norm().epsilon());
        return mixer.write(b, layer, p + "mamba.", normed);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "feed_forward.";
        int width = config.intermediateSize();
        int count = settings.integer("num_experts", 16);
        boolean routed = layer % settings.integer("expert_layer_period", 2) == settings.count("expert_layer_offset", 1);
        if (!routed || count == 1) {
            return b.gatedMlp(p, normed, at, width, activation());
        }
        Experts experts = new Experts(b, p, normed, count, settings.integer("num_experts_per_tok", 2));
        Value weights = experts.chosenOfSoftmax(experts.logits(at + "router.weight"), false);
        return experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
    }
}
