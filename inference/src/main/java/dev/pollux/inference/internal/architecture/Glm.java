package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;

/** GLM-4 of 2024 (arXiv:2406.12793): Llama with half of a head rotated in neighbours, gate and up stored as one. */
final class Glm extends Transformer {

    Glm(Blocks b) {
        super(b);
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at(layer) + "mlp.gate_up_proj.weight");
        String down = at(layer) + "mlp.down_proj.weight";
        return b.gated(p, normed, gateUp, down, config.intermediateSize(), activation());
    }
}
