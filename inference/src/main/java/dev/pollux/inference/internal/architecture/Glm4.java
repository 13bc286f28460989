package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;

/** GLM-4 (arXiv:2406.12793): norms before and after attention and MLP, half of a head rotated, gate and up stored as one. */
final class Glm4 extends Transformer {

    Glm4(Blocks b) {
        super(b);
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value attended = attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight"));
        x.add(after(p + "norm2", attended, at(layer) + "post_self_attn_layernorm.weight"));
        Value written = mlp(layer, p, x.norm(norm(), p + "norm3", at(layer) + "post_attention_layernorm.weight"));
        x.add(after(p + "norm4", written, at(layer) + "post_mlp_layernorm.weight"));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at(layer) + "mlp.gate_up_proj.weight");
        String down = at(layer) + "mlp.down_proj.weight";
        return b.gated(p, normed, gateUp, down, config.intermediateSize(), activation());
    }
}
