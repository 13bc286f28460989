package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Code World Model (Meta, arXiv:2510.02387): Llama with a window on three of four layers. */
final class Cwm extends Transformer {

    Cwm(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        boolean slides = settings.has("layer_types") ? slides(layer) : layer % 4 != 0;
        return super.attention(layer, p).window(slides ? settings.count("sliding_window", 8192) : 0);
    }
}
