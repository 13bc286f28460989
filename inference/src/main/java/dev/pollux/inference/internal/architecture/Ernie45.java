package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;

/** ERNIE 4.5 (Baidu): Llama with neighbours rotated. */
class Ernie45 extends Transformer {

    Ernie45(Blocks b) {
        super(b);
    }

    @Override
    final Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }
}
