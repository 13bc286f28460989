package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.tensor.StackedMatrix;

/** Mixtral (Jiang et al., arXiv:2401.04088): Mistral with experts. */
class Mixtral extends Transformer {

    Mixtral(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).window(settings.count("sliding_window", 0));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        boolean fused = b.tensors.has(at(layer) + "mlp.experts.gate_up_proj");
        String at = at(layer) + (fused ? "mlp." : "block_sparse_moe.");
        Experts experts = new Experts(
                b, p, normed, settings.integer("num_local_experts"), settings.integer("num_experts_per_tok"));
        Value weights = weights(experts, p, at);
        return experts.write(weights, (e, q, x) -> {
            if (fused) {
                return experts.gated(at + "experts.", e, q, x, config.intermediateSize(), activation());
            }
            String own = at + "experts." + e + ".";
            StackedMatrix gateUp = b.matrix(config.hiddenSize(), own + "w1.weight", own + "w3.weight");
            return b.gated(q, x, gateUp, own + "w2.weight", config.intermediateSize(), activation());
        });
    }

    /** The weight of each expert for each token. */
    Value weights(Experts experts, String p, String at) {
        return experts.softmaxOfChosen(experts.logits(at + "gate.weight"));
    }
}
