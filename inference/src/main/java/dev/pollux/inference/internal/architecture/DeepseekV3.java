package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.LongRotary;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;
import java.util.Map;

/**
 * DeepSeek V3 (arXiv:2412.19437): queries, keys and values through low-rank latents, one rotated key part for all heads, a
 * sigmoid router that chooses groups first, a shared expert. The cache holds the keys and values of every head.
 */
class DeepseekV3 extends Transformer {

    /** The norms of the latents have a separate epsilon. */
    private static final Norm LATENT = Norm.rms(1e-6);

    private final int heads;
    private final int plain = settings.integer("qk_nope_head_dim");
    private final int rotated = settings.integer("qk_rope_head_dim");
    private final int values;

    DeepseekV3(Blocks b) {
        super(b);
        heads = config.heads();
        int usual = Math.max(1, config.hiddenSize() / Math.max(1, heads));
        values = settings.integer("v_head_dim", usual);
    }

    @Override
    Rotary newRotary() {
        return LongRotary.isAskedFor(ropeSettings())
                ? LongRotary.write(b, ropeSettings(), rotated)
                : rotary("rotary", ropeSettings(), rotated, interleaved());
    }

    /** Whether neighbours are rotated. */
    boolean interleaved() {
        return settings.flag("rope_interleave", true);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        int width = Math.max(plain + rotated, values); // the operator has one for keys and values
        Value query = b.perToken(query(p, at, normed), p + "q.heads", heads, plain + rotated);
        List<Value> q = b.split(query, List.of(p + "q.plain", p + "q.rope"), plain, rotated);
        int rank = settings.integer("kv_lora_rank");
        Value latent =
                b.project(normed, p + "latent", at + "kv_a_proj_with_mqa.weight", rank + rotated, config.hiddenSize());
        List<Value> kv = b.split(latent, List.of(p + "kv.latent", p + "k.rope"), rank, rotated);
        Value inner = b.norm(LATENT, kv.get(0), p + "kv.normed", at + "kv_a_layernorm.weight", rank);
        Value both = b.project(inner, p + "kv", latentMatrix(at, rank), heads * (plain + values), rank);
        List<Value> parts = b.split(
                b.perToken(both, p + "kv.heads", heads, plain + values),
                List.of(p + "k.plain", p + "v"),
                plain,
                values);
        Value queryRope = rotate(b.perToken(q.get(1), p + "q.rope.flat", (long) heads * rotated), heads);
        Value keyRope = rotate(kv.get(1), 1);
        Value shared = b.op("Mul", p + "k.rope.each", b.perToken(keyRope, p + "k.rope.one", 1, rotated), ones());
        Value queries = joined(p + "q.all", q.get(0), b.perToken(queryRope, p + "q.rope.heads", heads, rotated));
        Value keys = joined(p + "k.all", parts.get(0), shared);
        Attention attention =
                new Attention(b, layer, p).heads(heads, heads, width).scale(scale());
        Value attended = attention.attend(
                padded(queries, plain + rotated), padded(keys, plain + rotated), padded(parts.get(1), values));
        return b.project(cut(p, attended, width), p + "o", at + "o_proj.weight", config.hiddenSize(), heads * values);
    }

    /**
     * The name of the joined projection. GGUF files store its parts separately, k (heads, rank, plain) and v (heads,
     * values, rank); these are joined.
     */
    private String latentMatrix(String at, int rank) {
        String whole = at + "kv_b_proj.weight";
        if (b.tensors.has(whole)) {
            return whole;
        }
        String k = at + "k_b_proj.weight";
        String v = at + "v_b_proj.weight";
        b.tensors.require(v);
        return b.tensors.define(whole, k, heads * (plain + values), rank, () -> {
            float[] keys = b.tensors.vector(k, heads * rank * plain);
            float[] ofValues = b.tensors.vector(v, heads * values * rank);
            float[] joined = new float[keys.length + ofValues.length]; // (heads, plain + values, rank)
            for (int head = 0; head < heads; head++) {
                int to = head * (plain + values) * rank;
                for (int r = 0; r < rank; r++) {
                    for (int i = 0; i < plain; i++) {
                        joined[to + i * rank + r] = keys[(head * rank + r) * plain + i];
                    }
                }
                System.arraycopy(ofValues, head * values * rank, joined, to + plain * rank, values * rank);
            }
            return joined;
        });
    }

    private Value query(String p, String at, Value normed) {
        int rows = heads * (plain + rotated);
        if (!settings.has("q_lora_rank")) {
            return b.project(normed, p + "q", at + "q_proj.weight", rows, config.hiddenSize());
        }
        int rank = settings.integer("q_lora_rank");
        Value latent = b.project(normed, p + "q.latent", at + "q_a_proj.weight", rank, config.hiddenSize());
        Value inner = b.norm(LATENT, latent, p + "q.normed", at + "q_a_layernorm.weight", rank);
        return b.project(inner, p + "q", at + "q_b_proj.weight", rows, rank);
    }

    private Value rotate(Value x, int count) {
        return b.lowering().rotate(x, count, rotary());
    }

    private Value joined(String output, Value first, Value second) {
        return b.op("Concat", output, List.of(first, second), Map.of("axis", -1));
    }

    /** Ones (heads, 1), which spread what is one for all heads over them. */
    private Value ones() {
        return b.vector("each.head", 1, heads);
    }

    /** (batch, tokens, heads, own) padded with zeros, which do not change scores, to the common width of keys and values. */
    private Value padded(Value x, int own) {
        int width = Math.max(plain + rotated, values);
        Value wide = x;
        if (width > own) {
            wide = b.op(
                    "Pad",
                    x.name() + ".padded",
                    x,
                    b.graph.integers(x.name() + ".pads", 0, 0, 0, 0, 0, 0, 0, width - own));
        }
        return b.perToken(wide, x.name() + ".wide", (long) heads * width);
    }

    /** The values' part of each head. */
    private Value cut(String p, Value attended, int width) {
        if (width == values) {
            return attended;
        }
        Value byHead = b.perToken(attended, p + "attended.heads", heads, width);
        List<Value> parts =
                b.split(byHead, List.of(p + "attended.values", p + "attended.rest"), values, width - values);
        return b.perToken(parts.get(0), p + "attended", (long) heads * values);
    }

    /** YaRN's temperature is applied to the scale twice. */
    private double scale() {
        Settings rope = ropeSettings();
        double all = rope.number("mscale_all_dim", 0);
        double factor = rope.number("factor", 1);
        double temperature = all == 0 ? 1 : RotaryScaling.yarnScale(factor, all);
        return temperature * temperature / Math.sqrt(plain + rotated);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        if (isDense(layer)) {
            return super.mlp(layer, p, normed);
        }
        return GroupedExperts.write(this, at, p, normed, this::weights);
    }

    /** Whether a layer has no experts. */
    boolean isDense(int layer) {
        return layer < settings.count("first_k_dense_replace", 0);
    }

    /** The weight of each expert for each token. */
    Value weights(Experts experts, String p, String at) {
        return GroupedExperts.weights(this, experts, p, at);
    }
}
