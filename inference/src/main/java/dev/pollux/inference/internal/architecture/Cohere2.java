package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Cohere Command A and R7B: layers that slide rotate, full ones do not. */
class Cohere2 extends Cohere {

    Cohere2(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        int pattern = settings.integer("sliding_window_pattern", settings.integer("_sliding_window_pattern", 4));
        boolean slides = settings.has("layer_types") ? slides(layer) : (layer + 1) % pattern != 0;
        return slides
                ? super.attention(layer, p).window(settings.integer("sliding_window", 4096))
                : new Attention(b, layer, p);
    }
}
