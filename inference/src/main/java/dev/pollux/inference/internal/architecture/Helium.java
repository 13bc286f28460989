package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;

/** Helium (Kyutai): Llama with neighbours rotated. */
final class Helium extends Transformer {

    Helium(Blocks b) {
        super(b);
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }
}
