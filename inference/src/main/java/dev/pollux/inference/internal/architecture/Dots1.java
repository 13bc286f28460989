package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** dots.llm1 (rednote, arXiv:2506.05767): attention of Qwen 3, experts of DeepSeek V3. */
final class Dots1 extends Transformer {

    Dots1(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean slides = settings.has("layer_types") ? slides(layer) : layer >= settings.count("max_window_layers", 62);
        return super.attention(layer, p)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight")
                .window(slides ? settings.count("sliding_window", 0) : 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return layer < settings.count("first_k_dense_replace", 0)
                ? super.mlp(layer, p, normed)
                : GroupedExperts.write(this, at(layer) + "mlp.", p, normed);
    }
}
