package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** OLMo (Groeneveld et al., arXiv:2402.00838): layer norms without weights, q, k and v within bounds. */
final class Olmo1 extends Transformer {

    Olmo1(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(1e-5);
    }

    @Override
    String finalNorm() {
        return "";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(attention(layer, p, x.norm(norm(), p + "norm1", "")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", "")));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        Value qkv = b.bounded(attention.project(normed, at), settings.positive("clip_qkv", Double.POSITIVE_INFINITY));
        return attention.output(attention.attend(qkv), at + "o_proj.weight");
    }
}
