package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Qwen 3.5 and Qwen3-Next: the gated delta rule (Yang et al., arXiv:2412.06464) on most layers, attention with an output gate on the others;
 * norms apply 1 + w, but for the gated one. Qwen3-Next stores the delta rule's projections head by head and has experts.
 */
final class Qwen35 extends Transformer {

    Qwen35(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return super.norm().withOffset(1);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        List<String> types = settings.texts("layer_types");
        int interval = settings.integer("full_attention_interval", 4);
        boolean full = layer < types.size() ? types.get(layer).equals("full_attention") : (layer + 1) % interval == 0;
        return full ? gatedAttention(layer, p, normed) : deltaRule(layer, p, normed);
    }

    /** q_proj holds a query and a gate for each head, in turns. */
    private Value gatedAttention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        int heads = config.heads();
        int width = config.headDim();
        int narrow = config.keyValueHeads() * width;
        Value both = b.project(normed, p + "q.gate", at + "q_proj.weight", 2 * heads * width, config.hiddenSize());
        List<Value> parts = b.split(
                b.perToken(both, p + "q.gate.heads", heads, 2L * width),
                List.of(p + "q.each", p + "g.each"),
                width,
                width);
        Value q = b.perToken(parts.get(0), p + "q", (long) heads * width);
        Value gate = b.perToken(parts.get(1), p + "g", (long) heads * width);
        Attention attention = new Attention(b, layer, p)
                .rotary(rotary())
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
        Value attended = attention.attend(
                q,
                b.project(normed, p + "k", at + "k_proj.weight", narrow, config.hiddenSize()),
                b.project(normed, p + "v", at + "v_proj.weight", narrow, config.hiddenSize()));
        Value gated = b.op("Mul", p + "attention.gated", attended, b.op("Sigmoid", p + "g.open", gate));
        return attention.output(gated, at + "o_proj.weight");
    }

    private Value deltaRule(int layer, String p, Value normed) {
        String at = at(layer) + "linear_attn.";
        parted(at);
        int keys = settings.integer("linear_num_key_heads");
        int heads = settings.integer("linear_num_value_heads");
        int keyWidth = settings.integer("linear_key_head_dim");
        int valueWidth = settings.integer("linear_value_head_dim");
        int hidden = config.hiddenSize();
        Recurrence r = new Recurrence(b, layer, p);
        int channels = 2 * keys * keyWidth + heads * valueWidth;
        Value all = b.project(normed, p + "qkv", at + "in_proj_qkv.weight", channels, hidden);
        Value mixed = r.convolution(all, at + "conv1d.weight", channels, "silu");
        List<Value> qkv = b.split(
                mixed, List.of(p + "q", p + "k", p + "v"), keys * keyWidth, keys * keyWidth, heads * valueWidth);
        Value step = r.step(b.project(normed, p + "a", at + "in_proj_a.weight", heads, hidden), at + "dt_bias", heads);
        Value decay = b.op("Mul", p + "decay", step, r.negativeExp(at + "A_log", heads));
        Value beta = b.op("Sigmoid", p + "beta", b.project(normed, p + "b", at + "in_proj_b.weight", heads, hidden));
        Value y = r.linearAttention(new LinearAttention(
                spread(r, r.unit(qkv.get(0), keys, keyWidth), keys, heads, keyWidth),
                spread(r, r.unit(qkv.get(1), keys, keyWidth), keys, heads, keyWidth),
                qkv.get(2),
                decay,
                beta,
                heads,
                keyWidth,
                valueWidth,
                1 / Math.sqrt(keyWidth)));
        Value byHead = b.perToken(y, p + "y.heads", heads, valueWidth);
        Value plain = b.norm(super.norm(), byHead, p + "y.normed", at + "norm.weight", valueWidth);
        Value z = b.project(normed, p + "z", at + "in_proj_z.weight", heads * valueWidth, hidden);
        Value flat = b.perToken(plain, p + "y.flat", (long) heads * valueWidth);
        Value gated = b.op("Mul", p + "y.gated", flat, b.activation("silu", z, p + "z.silu"));
        return b.project(gated, p + "out", at + "out_proj.weight", hidden, heads * valueWidth);
    }

    /** Each key head serves consecutive value heads, or, as GGUF files have them, every so many-th. */
    private Value spread(Recurrence r, Value x, int keys, int heads, int width) {
        return settings.flag("linear_heads_in_turns", false)
                ? r.spreadInTurns(x, keys, heads, width)
                : r.spread(x, keys, heads, width);
    }

    /** Defines the projections of Qwen 3.5 from those of Qwen3-Next: [q | k | v | z] and [b | a] of each key head. */
    private void parted(String at) {
        int keys = settings.integer("linear_num_key_heads");
        int each = settings.integer("linear_num_value_heads") / keys;
        int k = settings.integer("linear_key_head_dim");
        int v = each * settings.integer("linear_value_head_dim");
        String all = at + "in_proj_qkvz.weight";
        if (b.tensors.has(all)) {
            partedMain(at, all, keys, k, v);
        }
        if (b.tensors.has(at + "in_proj_ba.weight")) {
            String both = at + "in_proj_ba.weight";
            define(
                    at + "in_proj_b.weight",
                    both,
                    StoredOrder.rows(keys, 2 * each, 0, each).toArray());
            define(
                    at + "in_proj_a.weight",
                    both,
                    StoredOrder.rows(keys, 2 * each, each, each).toArray());
        }
    }

    private void partedMain(String at, String all, int keys, int k, int v) {
        IntStream q = StoredOrder.rows(keys, 2 * k + 2 * v, 0, k);
        IntStream qk = IntStream.concat(q, StoredOrder.rows(keys, 2 * k + 2 * v, k, k));
        define(
                at + "in_proj_qkv.weight",
                all,
                IntStream.concat(qk, StoredOrder.rows(keys, 2 * k + 2 * v, 2 * k, v))
                        .toArray());
        define(
                at + "in_proj_z.weight",
                all,
                StoredOrder.rows(keys, 2 * k + 2 * v, 2 * k + v, v).toArray());
    }

    private void define(String name, String stored, int[] rows) {
        int hidden = config.hiddenSize();
        b.tensors.define(name, stored, rows.length, hidden, () -> {
            float[] chosen = new float[rows.length * hidden];
            float[] values = b.tensors.floats(stored);
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(values, rows[i] * hidden, chosen, i * hidden, hidden);
            }
            return chosen;
        });
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        return b.tensors.has(at + "shared_expert_gate.weight")
                ? SharedExperts.write(this, at, p, normed, true)
                : super.mlp(layer, p, normed);
    }
}
