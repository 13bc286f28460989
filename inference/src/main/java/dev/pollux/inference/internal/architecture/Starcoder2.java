package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** StarCoder 2 (Lozhkov et al., arXiv:2402.19173): layer norms, biases everywhere, a plain MLP, a sliding window. */
final class Starcoder2 extends Transformer {

    Starcoder2(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("norm_epsilon", 1e-5));
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).window(settings.count("sliding_window", 0));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "gelu_pytorch_tanh");
        return b.plainMlp(p, normed, at + "c_fc.weight", at + "c_proj.weight", activation);
    }
}
