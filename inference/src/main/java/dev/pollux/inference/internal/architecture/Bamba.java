package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.inference.internal.layer.Residual;

/** Bamba (IBM, Princeton, CMU and UIUC): Mamba-2 and attention in turns, each before a gated MLP. */
final class Bamba extends Transformer {

    Bamba(Blocks b) {
        super(b);
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight");
        boolean attends = b.tensors.has(at(layer) + "self_attn.q_proj.weight");
        x.add(
                attends
                        ? attention(layer, p, normed)
                        : Mamba2Mixer.hybrid(b, at(layer) + "mamba.", norm(), activation())
                                .write(b, layer, p, normed));
        Value inner = x.norm(norm(), p + "norm2", at(layer) + "pre_ff_layernorm.weight");
        x.add(b.gatedMlp(p, inner, at(layer) + "feed_forward.", config.intermediateSize(), activation()));
    }
}
