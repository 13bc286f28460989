package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;

/** LFM3 (Liquid AI): LFM2 with a norm after each block, a gate for each head, and layers that slide. */
final class Lfm3 extends Lfm2 {

    private final Rotary full;
    private final Rotary sliding;

    Lfm3(Blocks b) {
        super(b);
        Settings rope = settings.at("rope_parameters");
        full = proportional("rotary", rope.at("full_attention"), config.headDim());
        sliding = proportional("rotary.sliding", rope.at("sliding_attention"), config.headDim());
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value mixed = mixer(layer, p, x.norm(norm(), p + "norm1", at(layer) + "operator_norm.weight"));
        x.add(sandwiched(p + "norm2", mixed, at(layer) + "post_operator_norm.weight"));
        Value written = mlp(layer, p, x.norm(norm(), p + "norm3", at(layer) + "ffn_norm.weight"));
        x.add(sandwiched(p + "norm4", written, at(layer) + "post_ffn_norm.weight"));
    }

    private Value sandwiched(String output, Value x, String weight) {
        return settings.flag("use_sandwich_norm", true) ? after(output, x, weight) : x;
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = new Attention(b, layer, p)
                .rotary(slides(layer) ? sliding : full)
                .window(slides(layer) ? settings.integer("sliding_window") : 0)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
        Value attended = attention.attend(attention.project(normed, at));
        if (settings.flag("use_attention_gate", true)) {
            attended = gated(at, p, normed, attended);
        }
        return attention.output(attended, at + "o_proj.weight");
    }

    private Value gated(String at, String p, Value normed, Value attended) {
        int heads = config.heads();
        Value logits = b.project(normed, p + "gates.raw", at + "gate_proj.weight", heads, config.hiddenSize());
        Value gates = b.perToken(b.op("Sigmoid", p + "gates.flat", logits), p + "gates", heads, 1);
        Value byHead = b.perToken(attended, p + "attention.heads", heads, config.headDim());
        return b.perToken(
                b.op("Mul", p + "attention.gated", byHead, gates),
                p + "attention.out",
                (long) heads * config.headDim());
    }
}
