package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** OLMoE (Muennighoff et al., arXiv:2409.02060): q and k normalized over all heads, experts. */
final class Olmoe extends Transformer {

    Olmoe(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return super.attention(layer, p).wholeNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    /** The bounds of q and k hold after their norms. */
    @Override
    Value attention(int layer, String p, Value normed) {
        double bound = settings.positive("clip_qkv", Double.POSITIVE_INFINITY);
        if (Double.isInfinite(bound)) {
            return super.attention(layer, p, normed);
        }
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        int own = attention.heads() * attention.width();
        int few = attention.keyValueHeads() * attention.width();
        List<Value> qkv = b.split(attention.project(normed, at), List.of(p + "q", p + "k", p + "v"), own, few, few);
        Value q = b.bounded(attention.normed(qkv.get(0), false), bound);
        Value k = b.bounded(attention.normed(qkv.get(1), true), bound);
        Value attended = super.attention(layer, p).attend(q, k, b.bounded(qkv.get(2), bound));
        return attention.output(attended, at + "o_proj.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return SoftmaxExperts.write(this, at(layer) + "mlp.", p, normed, config.intermediateSize());
    }
}
