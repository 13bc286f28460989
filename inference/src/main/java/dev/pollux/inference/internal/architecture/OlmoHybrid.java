package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.tensor.StackedMatrix;
import java.util.List;

/**
 * OLMo Hybrid (Ai2): the gated delta rule (Yang et al., arXiv:2412.06464) after a norm on most layers, attention of OLMo 2 on
 * the others, without positions unless the configuration has a rotary base.
 */
final class OlmoHybrid extends Transformer {

    OlmoHybrid(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = at(layer);
        String second = stored(at, "feedforward_layer_norm.weight", "post_attention_layernorm.weight");
        if (isFull(layer)) {
            x.add(after(p + "norm1", attention(layer, p, x.value()), second));
            x.add(after(p + "norm2", mlp(layer, p, x.value()), at + "post_feedforward_layernorm.weight"));
            return;
        }
        String first = stored(at, "attention_layer_norm.weight", "input_layernorm.weight");
        x.add(deltaRule(layer, p, x.norm(norm(), p + "norm1", first)));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", second)));
    }

    /** A norm by the name in published checkpoints, or by that in the reference. */
    private String stored(String at, String published, String reference) {
        return at + (b.tensors.has(at + published) ? published : reference);
    }

    private boolean isFull(int layer) {
        List<String> types = settings.texts("layer_types");
        return layer < types.size() ? types.get(layer).equals("full_attention") : layer % 4 == 3;
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        boolean rotates = ropeSettings().has("rope_theta");
        Attention attention = rotates ? super.attention(layer, p) : new Attention(b, layer, p);
        return attention.wholeNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    private Value deltaRule(int layer, String p, Value normed) {
        String at = at(layer) + "linear_attn.";
        int hidden = config.hiddenSize();
        int heads = settings.integer("linear_num_value_heads", config.heads());
        int keyWidth = settings.integer("linear_key_head_dim", (int) (0.75 * hidden / heads));
        int valueWidth = settings.integer("linear_value_head_dim", 2 * keyWidth);
        if (settings.integer("linear_num_key_heads", heads) != heads) {
            throw new UnsupportedModelException(settings.file() + ": linear_num_key_heads must equal"
                    + " linear_num_value_heads, " + heads + ", but was " + settings.integer("linear_num_key_heads"));
        }
        int keys = heads * keyWidth;
        int values = heads * valueWidth;
        Recurrence r = new Recurrence(b, layer, p);
        List<Value> qkv = mixed(r, at, normed, keys, values);
        Value step = r.step(b.project(normed, p + "a", at + "a_proj.weight", heads, hidden), at + "dt_bias", heads);
        Value decay = b.op("Mul", p + "decay", step, r.negativeExp(at + "A_log", heads));
        Value beta = b.op("Sigmoid", p + "beta", b.project(normed, p + "b", at + "b_proj.weight", heads, hidden));
        Value y = r.linearAttention(new LinearAttention(
                r.unit(qkv.get(0), heads, keyWidth),
                r.unit(qkv.get(1), heads, keyWidth),
                qkv.get(2),
                decay,
                b.scaled(beta, settings.flag("linear_allow_neg_eigval", true) ? 2 : 1),
                heads,
                keyWidth,
                valueWidth,
                1 / Math.sqrt(keyWidth)));
        Value byHead = b.perToken(y, p + "y.heads", heads, valueWidth);
        Value even = b.norm(Norm.rms(1e-5), byHead, p + "y.normed", at + "o_norm.weight", valueWidth);
        Value gate = b.project(normed, p + "z", at + "g_proj.weight", values, hidden);
        Value flat = b.perToken(even, p + "y.flat", values);
        Value gated = b.op("Mul", p + "y.gated", flat, b.activation("silu", gate, p + "z.silu"));
        return b.project(gated, p + "out", at + "o_proj.weight", hidden, values);
    }

    /** q, k and v after the convolution. */
    private List<Value> mixed(Recurrence r, String at, Value normed, int keys, int values) {
        String p = r.prefix();
        int channels = 2 * keys + values;
        StackedMatrix stacked =
                b.matrix(config.hiddenSize(), at + "q_proj.weight", at + "k_proj.weight", at + "v_proj.weight");
        Value all = b.linear(normed, p + "qkv", stacked.requireRows(channels));
        Value mixed = r.convolution(all, kernels(at, channels), channels, activation());
        return b.split(mixed, List.of(p + "q", p + "k", p + "v"), keys, keys, values);
    }

    /** The convolutions of q, k and v as one; published checkpoints store them by themselves. */
    private String kernels(String at, int channels) {
        String one = at + "conv1d.weight";
        if (b.tensors.has(one)) {
            return one;
        }
        List<String> parts = List.of(at + "q_conv1d.weight", at + "k_conv1d.weight", at + "v_conv1d.weight");
        int stored =
                parts.stream().mapToInt(part -> b.tensors.require(part).dim(0)).sum();
        if (stored != channels) {
            throw new MalformedFileException(parts + " must have " + channels + " channels but have " + stored
                    + "; the configuration and the weights do not match");
        }
        int kernel = b.tensors.require(parts.get(0)).dim(2);
        return b.tensors.define(one, parts.get(0), List.of((long) channels, 1L, (long) kernel), () -> {
            float[] joined = new float[channels * kernel];
            int to = 0;
            for (String part : parts) {
                float[] own = b.tensors.floats(part);
                System.arraycopy(own, 0, joined, to, own.length);
                to += own.length;
            }
            return joined;
        });
    }
}
