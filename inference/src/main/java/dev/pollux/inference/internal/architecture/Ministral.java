package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Ministral 8B (Mistral AI): Mistral with a window on the layers that are listed as sliding, or on all. */
final class Ministral extends Transformer {

    Ministral(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        boolean slides = !settings.has("layer_types") || slides(layer);
        return super.attention(layer, p).window(slides ? settings.count("sliding_window", 0) : 0);
    }
}
