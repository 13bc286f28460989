package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** K-EXAONE (LG AI): norms before attention and MLP, attention of EXAONE 4, experts of DeepSeek V3. */
final class ExaoneMoe extends Transformer {

    ExaoneMoe(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        int window = settings.count("sliding_window", 0);
        Attention attention = window == 0 || slides(layer) ? super.attention(layer, p) : new Attention(b, layer, p);
        return attention
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(slides(layer) ? window : 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        List<String> types = settings.texts("mlp_layer_types");
        boolean dense = layer < types.size()
                ? types.get(layer).equals("dense")
                : layer < settings.count("first_k_dense_replace", 1);
        return dense ? super.mlp(layer, p, normed) : GroupedExperts.write(this, at(layer) + "mlp.", p, normed);
    }
}
