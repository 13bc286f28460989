package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;

/** FlexOlmo (Ai2, arXiv:2507.07024): OLMo 2 with experts. */
final class FlexOlmo extends Olmo {

    FlexOlmo(Blocks b) {
        super(b);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return SoftmaxExperts.write(this, at(layer) + "mlp.", p, normed, config.intermediateSize());
    }
}
