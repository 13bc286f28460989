package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** Phi 1, 1.5 and 2 (Li et al., arXiv:2309.05463): attention and a plain MLP in parallel after one layer norm, biases everywhere. */
final class Phi extends Transformer {

    Phi(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    double rotatedShare() {
        return 0.5;
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm", at(layer) + "input_layernorm.weight");
        x.add(attention(layer, p, normed));
        x.add(mlp(layer, p, normed));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        if (settings.flag("qk_layernorm", false)) {
            attention.headNorms(norm(), at + "q_layernorm.weight", at + "k_layernorm.weight");
        }
        return attention.output(attention.attend(attention.project(normed, at)), at + "dense.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "gelu_new");
        return b.plainMlp(p, normed, at + "fc1.weight", at + "fc2.weight", activation);
    }
}
