package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** GPT-2 (Radford et al., 2019): learned positions, layer norms with biases, matrices stored (in, out). */
final class Gpt2 extends Transformer {

    private final String root;

    Gpt2(Blocks b) {
        super(b);
        root = b.tensors.has("transformer.wte.weight") ? "transformer." : "";
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    Value embedding() {
        Value tokens = b.embed(root + "wte.weight");
        return b.op("Add", "embedded", tokens, positions(root + "wpe.weight"));
    }

    @Override
    String finalNorm() {
        return root + "ln_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root + "h." + layer + ".";
        int hidden = config.hiddenSize();
        Attention attention = new Attention(b, layer, p);
        double scale = settings.flag("scale_attn_weights", true) ? 1 / Math.sqrt(config.headDim()) : 1;
        attention.scale(settings.flag("scale_attn_by_inverse_layer_idx", false) ? scale / (layer + 1) : scale);
        Value qkv = conv(
                x.norm(norm(), p + "norm1", at + "ln_1.weight"), p + "qkv", at + "attn.c_attn", hidden, 3 * hidden);
        x.add(conv(attention.attend(qkv), p + "o", at + "attn.c_proj", hidden, hidden));
        String up = at + "mlp.c_fc.linear.weight";
        int width = b.tensors.has(up) ? b.tensors.require(up).dim(0) : settings.integer("n_inner", 4 * hidden);
        Value inner =
                conv(x.norm(norm(), p + "norm2", at + "ln_2.weight"), p + "inner", at + "mlp.c_fc", hidden, width);
        Value active = b.activation(settings.text("activation_function", "gelu_new"), inner, p + "active");
        x.add(conv(active, p + "down", at + "mlp.c_proj", width, hidden));
    }

    /** A product with a matrix that is stored (in, out), or as GGUF files have it, (out, in). */
    private Value conv(Value x, String output, String name, int in, int out) {
        if (b.tensors.has(name + ".linear.weight")) {
            return b.project(x, output, name + ".linear.weight", out, in);
        }
        String stored = name + ".weight";
        String turned = b.tensors.define(name + ".turned.weight", stored, out, in, () -> {
            float[] values = b.tensors.vector(stored, in * out); // (in, out)
            float[] transposed = new float[values.length]; // (out, in)
            for (int i = 0; i < in; i++) {
                for (int o = 0; o < out; o++) {
                    transposed[o * in + i] = values[i * out + o];
                }
            }
            return transposed;
        });
        Value product = b.project(x, output + ".product", turned, out, in);
        Value bias = b.graph.floats(output + ".bias", b.tensors.vectorLater(name + ".bias", out), out);
        return b.op("Add", output, product, bias);
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, 0);
    }
}
