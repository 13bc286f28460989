package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;

/** Solar Open (Upstage, arXiv:2601.07022): Llama with experts of DeepSeek V3 on every layer. */
final class SolarOpen extends Transformer {

    SolarOpen(Blocks b) {
        super(b);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return GroupedExperts.write(this, at(layer) + "mlp.", p, normed);
    }
}
