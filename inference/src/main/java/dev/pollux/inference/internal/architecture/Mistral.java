package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Mistral (Jiang et al., arXiv:2310.06825): Llama with a sliding window. */
final class Mistral extends Transformer {

    Mistral(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).window(settings.count("sliding_window", 0));
    }
}
