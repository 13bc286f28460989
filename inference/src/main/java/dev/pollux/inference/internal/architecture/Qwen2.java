package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Qwen 2 and 2.5 (Yang et al., arXiv:2407.10671): biases on q, k and v; upper layers may slide. */
final class Qwen2 extends Transformer {

    Qwen2(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        boolean sliding = settings.flag("use_sliding_window", false)
                && (settings.has("layer_types")
                        ? slides(layer)
                        : layer >= settings.count("max_window_layers", config.layers()));
        return super.attention(layer, p).window(sliding ? settings.count("sliding_window", 0) : 0);
    }
}
