package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;

/** GPT-NeoX and Pythia (Black et al., arXiv:2204.06745): q, k and v stored head by head, a part of a head rotated. */
final class GptNeoX extends Transformer {

    GptNeoX(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    Value embedding() {
        return b.embed("gpt_neox.embed_in.weight");
    }

    @Override
    String finalNorm() {
        return "gpt_neox.final_layer_norm.weight";
    }

    @Override
    Rotary newRotary() {
        double part = ropeSettings().number("partial_rotary_factor", settings.number("rotary_pct", 0.25));
        double theta = ropeSettings().number("rope_theta", settings.number("rotary_emb_base", 10_000));
        int width = (int) (config.headDim() * part);
        return b.rotary(
                "rotary",
                width,
                theta,
                dev.pollux.inference.checkpoint.RotaryScaling.read(ropeSettings(), config.contextLength()),
                false);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = "gpt_neox.layers." + layer + ".";
        Value normed = x.norm(norm(), p + "norm1", at + "input_layernorm.weight");
        Attention attention = attention(layer, p);
        Value qkv = b.project(
                normed,
                p + "qkv",
                byKind(at + "attention.query_key_value"),
                3 * config.hiddenSize(),
                config.hiddenSize());
        Value attended = attention.output(attention.attend(qkv), at + "attention.dense.weight");
        if (settings.flag("use_parallel_residual", true)) {
            Value side = x.norm(norm(), p + "norm2", at + "post_attention_layernorm.weight");
            Value written = mlp(at, p, side);
            x.add(attended);
            x.add(written);
        } else {
            x.add(attended);
            x.add(mlp(at, p, x.norm(norm(), p + "norm2", at + "post_attention_layernorm.weight")));
        }
    }

    private Value mlp(String at, String p, Value normed) {
        int width = config.intermediateSize();
        Value inner = b.project(normed, p + "inner", at + "mlp.dense_h_to_4h.weight", width, config.hiddenSize());
        Value active = b.activation(settings.text("hidden_act", "gelu"), inner, p + "active");
        return b.project(active, p + "down", at + "mlp.dense_4h_to_h.weight", config.hiddenSize(), width);
    }

    /** Rows ordered [q, k, v][head][width] instead of [head][q, k, v][width], the bias likewise; GGUF files have them so. */
    private String byKind(String name) {
        if (b.tensors.has(name + ".linear.weight")) {
            return name + ".linear.weight";
        }
        int hidden = config.hiddenSize();
        String bias = name + ".bias";
        if (b.tensors.has(bias)) {
            b.tensors.define(name + ".turned.bias", bias, 1, 3 * hidden, () -> ordered(bias, 1));
        }
        return b.tensors.define(
                name + ".turned.weight", name + ".weight", 3 * hidden, hidden, () -> ordered(name + ".weight", hidden));
    }

    private float[] ordered(String stored, int columns) {
        int run = config.headDim() * columns;
        float[] values = b.tensors.vector(stored, 3 * config.hiddenSize() * columns); // (heads, 3, width, columns)
        float[] ordered = new float[values.length]; // (3, heads, width, columns)
        for (int head = 0; head < config.heads(); head++) {
            for (int kind = 0; kind < 3; kind++) {
                int to = (kind * config.heads() + head) * run;
                System.arraycopy(values, (head * 3 + kind) * run, ordered, to, run);
            }
        }
        return ordered;
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "embed_out.weight", 1, 0);
    }
}
