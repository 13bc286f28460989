package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Granite with windows and sinks (IBM). */
final class GraniteSwa extends Granite {

    private final SlidingGranite sliding = new SlidingGranite(this);

    GraniteSwa(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        return sliding.attention(layer, p);
    }
}
