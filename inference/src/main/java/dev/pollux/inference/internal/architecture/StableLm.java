package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** StableLM (Bellagente et al., arXiv:2402.17834): layer norms, a quarter of a head rotated, attention and MLP in parallel. */
final class StableLm extends Transformer {

    StableLm(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    double rotatedShare() {
        return 0.25;
    }

    @Override
    void layer(int layer, String p, Residual x) {
        if (!settings.flag("use_parallel_residual", false)) {
            super.layer(layer, p, x);
            return;
        }
        Value normed = x.norm(norm(), p + "norm", at(layer) + "input_layernorm.weight");
        x.add(attention(layer, p, normed));
        x.add(mlp(layer, p, normed));
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        Attention attention = super.attention(layer, p);
        return settings.flag("qk_layernorm", false)
                ? attention.headNorms(
                        norm(),
                        byHead(at + "q_layernorm", config.heads()),
                        byHead(at + "k_layernorm", config.keyValueHeads()))
                : attention;
    }

    /** The norms' weights, stored head by head, as one (heads, width). */
    private String byHead(String name, int heads) {
        int width = config.headDim();
        String first = name + ".norms.0.weight";
        for (int head = 0; head < heads; head++) {
            b.tensors.require(name + ".norms." + head + ".weight");
        }
        return b.tensors.define(name + ".weight", first, heads, width, () -> {
            float[] joined = new float[heads * width];
            for (int head = 0; head < heads; head++) {
                float[] own = b.tensors.vector(name + ".norms." + head + ".weight", width);
                System.arraycopy(own, 0, joined, head * width, width);
            }
            return joined;
        });
    }
}
