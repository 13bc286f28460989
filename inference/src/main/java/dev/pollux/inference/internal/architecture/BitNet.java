package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** BitNet b1.58 2B4T (arXiv:2504.12285), weights as numbers: norms before the last matrices of attention and MLP. */
final class BitNet extends Transformer {

    BitNet(Blocks b) {
        super(b);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        Value attended = attention.attend(attention.project(normed, at));
        int width = attention.heads() * attention.width();
        Value inner = b.norm(norm(), attended, p + "attention.normed", at + "attn_sub_norm.weight", width);
        return attention.output(inner, at + "o_proj.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        int width = config.intermediateSize();
        Value both = b.linear(
                normed,
                p + "gate_up",
                b.matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight")
                        .requireRows(2 * width));
        List<Value> parts = b.split(both, List.of(p + "gate", p + "up"), width, width);
        Value active = b.activation(settings.text("hidden_act", "relu2"), parts.get(0), p + "active");
        Value gated = b.op("Mul", p + "gated", active, parts.get(1));
        Value inner = b.norm(norm(), gated, p + "gated.normed", at + "ffn_sub_norm.weight", width);
        return b.project(inner, p + "down", at + "down_proj.weight", config.hiddenSize(), width);
    }
}
