package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.KeyBias;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/**
 * Falcon (Almazrouei et al., arXiv:2311.16867): attention and MLP in parallel after one norm or two, or in turn; q, k and v
 * stored as one, with keys and values for each head, for all or for groups; rotary positions or ALiBi.
 */
final class Falcon extends Transformer {

    private final boolean grouped = settings.flag("new_decoder_architecture", false);
    private final boolean shared = settings.flag("multi_query", true);
    private final boolean parallel = settings.flag("parallel_attn", true);
    private final int keyValueHeads;
    private final Value bias;

    Falcon(Blocks b) {
        super(b);
        int each = settings.integer("num_kv_heads", config.heads());
        keyValueHeads = grouped ? each : shared ? 1 : config.heads();
        boolean alibi = settings.flag("alibi", false);
        if (grouped && !parallel || alibi && keyValueHeads != config.heads()) {
            throw new UnsupportedModelException(
                    settings.file()
                            + (grouped && !parallel
                                    ? ": new_decoder_architecture is not supported without parallel_attn"
                                    : ": alibi is supported only with keys for each head, not with multi_query or num_kv_heads"));
        }
        bias = alibi ? alibi() : Value.NONE;
    }

    /** Scores and their biases are scaled together. The biases are those of half precision, as the reference has them. */
    private Value alibi() {
        Value unscaled = KeyBias.alibi(b, KeyBias.slopes(config.heads()), true);
        return b.scaled(unscaled, 1 / Math.sqrt(config.headDim()));
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    Value embedding() {
        return b.embed("transformer.word_embeddings.weight");
    }

    @Override
    String finalNorm() {
        return "transformer.ln_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = "transformer.h." + layer + ".";
        boolean two = grouped && settings.integer("num_ln_in_parallel_attn", 2) == 2;
        Value normed = x.norm(norm(), p + "norm1", at + (two ? "ln_attn.weight" : "input_layernorm.weight"));
        if (!parallel) {
            x.add(attention(layer, p, at + "self_attention.", normed));
            x.add(mlp(p, at, x.norm(norm(), p + "norm2", at + "post_attention_layernorm.weight")));
            return;
        }
        Value side = two ? x.norm(norm(), p + "norm2", at + "ln_mlp.weight") : normed;
        x.add(attention(layer, p, at + "self_attention.", normed));
        x.add(mlp(p, at, side));
    }

    private Value attention(int layer, String p, String at, Value normed) {
        int width = config.headDim();
        Attention attention = new Attention(b, layer, p).heads(config.heads(), keyValueHeads, width);
        int[] order = StoredOrder.byKind(keyValueHeads, config.heads() / keyValueHeads, width);
        Value qkv = attention.project(
                normed,
                b.matrix(config.hiddenSize(), StoredOrder.of(b, at + "query_key_value", config.hiddenSize(), order)));
        String out = at + "dense.weight";
        if (bias.isNone()) {
            return attention.output(attention.rotary(rotary()).attend(qkv), out);
        }
        int hidden = config.hiddenSize();
        List<Value> parts = b.split(qkv, List.of(p + "q", p + "k", p + "v"), hidden, hidden, hidden);
        Value attended = KeyBias.attend(b, attention, parts, bias);
        return b.project(attended, p + "o", out, hidden, hidden);
    }

    private Value mlp(String p, String at, Value normed) {
        String activation = settings.text("activation", "gelu");
        return b.plainMlp(p, normed, at + "mlp.dense_h_to_4h.weight", at + "mlp.dense_4h_to_h.weight", activation);
    }
}
