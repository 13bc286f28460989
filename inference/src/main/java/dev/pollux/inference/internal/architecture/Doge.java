package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.KeyBias;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/** Doge: a bias of each key computed from its value, q and k normalized head by head, residuals with weights. */
final class Doge extends Transformer {

    Doge(Blocks b) {
        super(b);
        int kept = settings.integer("keep_window_size", 2048);
        if (settings.flag("is_moe", false) || kept < b.contextLength) {
            throw new UnsupportedModelException(settings.file()
                    + (settings.flag("is_moe", false)
                            ? ": is_moe is true; Doge is supported only without experts"
                            : ": keep_window_size " + kept + " is below the " + b.contextLength
                                    + " positions of the export, beyond which tokens are dropped; lower maxContext"));
        }
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value attended = attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight"));
        x.replace(weighted(x.value(), p + "stream1", at(layer) + "input_residual"));
        x.add(attended);
        Value written = mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "post_attention_layernorm.weight"));
        x.replace(weighted(x.value(), p + "stream2", at(layer) + "post_attention_residual"));
        x.add(written);
    }

    private Value weighted(Value x, String output, String weight) {
        int hidden = config.hiddenSize();
        return b.op(
                "Mul", output, x, b.graph.floats(output + ".weight", b.tensors.vectorLater(weight, hidden), hidden));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        int own = config.heads() * config.headDim();
        int few = config.keyValueHeads();
        int narrow = few * config.headDim();
        Attention attention = attention(layer, p).headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
        List<Value> qkv =
                b.split(attention.project(normed, at), List.of(p + "q", p + "k", p + "v"), own, narrow, narrow);
        Value step =
                b.op("Softplus", p + "dt", b.project(qkv.get(2), p + "dt.raw", at + "dt_proj.weight", few, narrow));
        Value a = b.graph.floats(p + "A", b.tensors.vectorLater(at + "A", few), few);
        Value bias = b.op("Exp", p + "bias", b.op("Mul", p + "bias.log", step, a));
        List<Value> prepared = List.of(
                b.lowering().rotate(attention.normed(qkv.get(0), false), config.heads(), rotary()),
                b.lowering().rotate(attention.normed(qkv.get(1), true), few, rotary()),
                qkv.get(2));
        int window = settings.integer("sliding_window", 0);
        Value attended = KeyBias.attend(b, new Attention(b, layer, p).window(window), prepared, bias);
        return b.project(attended, p + "o", at + "o_proj.weight", config.hiddenSize(), own);
    }
}
