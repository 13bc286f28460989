package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Granite with experts, windows and sinks (IBM). */
final class GraniteMoeSwa extends GraniteHybrid {

    private final SlidingGranite sliding = new SlidingGranite(this);

    GraniteMoeSwa(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        return sliding.attention(layer, p);
    }
}
