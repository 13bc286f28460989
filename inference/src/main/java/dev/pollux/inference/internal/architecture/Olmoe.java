package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** OLMoE (Muennighoff et al., arXiv:2409.02060): q and k normalized over all heads, experts. */
final class Olmoe extends Transformer {

    Olmoe(Blocks b) {
        super(b);
        double clip = settings.number("clip_qkv", 0);
        if (clip != 0) {
            throw new UnsupportedModelException(settings.file() + ": clip_qkv " + clip
                    + " is not supported, only null; no published OLMoE bounds its queries, keys and values");
        }
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return super.attention(layer, p).wholeNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        Experts experts =
                new Experts(b, p, normed, settings.integer("num_experts"), settings.integer("num_experts_per_tok"));
        Value weights =
                experts.chosenOfSoftmax(experts.logits(at + "gate.weight"), settings.flag("norm_topk_prob", false));
        return experts.write(
                weights,
                (e, q, x) -> b.gatedMlp(q, x, at + "experts." + e + ".", config.intermediateSize(), activation()));
    }
}
