package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.KeyBias;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/** MPT (MosaicML): ALiBi, norms without bias, q, k and v stored as one and within bounds. */
final class Mpt extends Transformer {

    private final Settings attending = settings.at("attn_config");
    private Value bias = Value.NONE;

    Mpt(Blocks b) {
        super(b);
        boolean usual = attending.flag("alibi", true)
                && !attending.flag("qk_ln", false)
                && !attending.flag("prefix_lm", false)
                && attending.number("alibi_bias_max", 8) == 8
                && attending.text("attn_type", "multihead_attention").equals("multihead_attention")
                && settings.flag("no_bias", true)
                && !settings.has("logit_scale");
        if (!usual) {
            throw new UnsupportedModelException(settings.file() + ": MPT is supported only with attn_config.alibi true,"
                    + " attn_config.qk_ln and prefix_lm false, attn_config.alibi_bias_max 8, attn_config.attn_type"
                    + " 'multihead_attention', no_bias true"
                    + " and no logit_scale");
        }
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    Value embedding() {
        bias = KeyBias.alibi(b, slopes(), false);
        return b.embed("transformer.wte.weight");
    }

    /** Powers of 2^(−8 / n) for the next power of two n; if there are fewer heads, the odd ones come first. */
    private double[] slopes() {
        int heads = config.heads();
        int power = Integer.highestOneBit(heads) == heads ? heads : 2 * Integer.highestOneBit(heads);
        double each = 8.0 / power;
        double[] slopes = new double[heads];
        for (int head = 0; head < heads; head++) {
            int at = power == heads ? head : head < power / 2 ? 2 * head + 1 : 2 * (head - power / 2);
            slopes[head] = Math.pow(2, -each * (at + 1));
        }
        return slopes;
    }

    @Override
    String finalNorm() {
        return "transformer.norm_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = "transformer.blocks." + layer + ".";
        x.add(attention(layer, p, at + "attn.", x.norm(norm(), p + "norm1", at + "norm_1.weight")));
        Value inner = x.norm(norm(), p + "norm2", at + "norm_2.weight");
        x.add(b.plainMlp(p, inner, at + "ffn.up_proj.weight", at + "ffn.down_proj.weight", "gelu"));
    }

    private Value attention(int layer, String p, String at, Value normed) {
        int hidden = config.hiddenSize();
        Attention attention = new Attention(b, layer, p);
        attention.scale(attending.number("softmax_scale", attention.scale()));
        double bound = attending.number("clip_qkv", 0);
        Value qkv = b.bounded(
                attention.project(normed, b.matrix(hidden, at + "Wqkv.weight")),
                bound == 0 ? Double.POSITIVE_INFINITY : bound);
        List<Value> parts = b.split(qkv, List.of(p + "q", p + "k", p + "v"), hidden, hidden, hidden);
        return b.project(KeyBias.attend(b, attention, parts, bias), p + "o", at + "out_proj.weight", hidden, hidden);
    }
}
