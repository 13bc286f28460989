package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.tensor.StackedMatrix;

/**
 * Phi 3 and 4 (Abdin et al., arXiv:2404.14219): q, k, v and gate, up are stored as one.
 */
final class Phi3 extends Transformer {

    Phi3(Blocks b) {
        super(b);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        Attention attention = new Attention(b, layer, p).rotary(rotary()).window(settings.count("sliding_window", 0));
        String at = at(layer) + "self_attn.";
        Value qkv = attention.project(normed, b.matrix(config.hiddenSize(), at + "qkv_proj.weight"));
        return attention.output(attention.attend(qkv), at + "o_proj.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at(layer) + "mlp.gate_up_proj.weight");
        String down = at(layer) + "mlp.down_proj.weight";
        return b.gated(p, normed, gateUp, down, config.intermediateSize(), activation());
    }
}
