package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** SmolLM3: Llama with layers that do not rotate (NoPE, Yang et al., arXiv:2501.18795). */
final class SmolLm3 extends Transformer {

    SmolLm3(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        List<Double> rotates = settings.numbers("no_rope_layers"); // 1 where a layer rotates
        int interval = settings.integer("no_rope_layer_interval", 4);
        boolean rotated = layer < rotates.size() ? rotates.get(layer) != 0 : (layer + 1) % interval != 0;
        boolean sliding = settings.flag("use_sliding_window", false) && slides(layer);
        Attention attention = rotated ? super.attention(layer, p) : new Attention(b, layer, p);
        return attention.window(sliding ? settings.count("sliding_window", 0) : 0);
    }
}
