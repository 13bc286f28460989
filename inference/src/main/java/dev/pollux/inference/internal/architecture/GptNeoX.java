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
        return StoredOrder.of(b, name, config.hiddenSize(), StoredOrder.byKind(config.heads(), 1, config.headDim()));
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "embed_out.weight", 1, 0);
    }
}
