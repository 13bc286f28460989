package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Qwen 1.5 and 2 with experts (Yang et al., arXiv:2407.10671): one expert is shared by all tokens. */
final class Qwen2Moe extends Transformer {

    Qwen2Moe(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        boolean sliding = settings.flag("use_sliding_window", false) && slides(layer);
        return super.attention(layer, p).window(sliding ? settings.count("sliding_window", 0) : 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        boolean dense = settings.numbers("mlp_only_layers").contains((double) layer)
                || (layer + 1) % settings.integer("decoder_sparse_step", 1) != 0;
        return dense ? super.mlp(layer, p, normed) : SharedExperts.write(this, at(layer) + "mlp.", p, normed, false);
    }
}
