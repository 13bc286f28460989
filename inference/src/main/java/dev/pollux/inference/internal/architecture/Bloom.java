package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.KeyBias;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/** BLOOM (BigScience, arXiv:2211.05100): ALiBi, a norm of the embedding, q, k and v stored head by head. */
final class Bloom extends Transformer {

    private final String root;
    private Value bias = Value.NONE;

    Bloom(Blocks b) {
        super(b);
        root = b.tensors.has("transformer.word_embeddings.weight") ? "transformer." : "";
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    Value embedding() {
        bias = KeyBias.alibi(b, KeyBias.slopes(config.heads()), false);
        return after("embedded", b.embed(root + "word_embeddings.weight"), root + "word_embeddings_layernorm.weight");
    }

    @Override
    String finalNorm() {
        return root + "ln_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root + "h." + layer + ".";
        boolean normedStream = settings.flag("apply_residual_connection_post_layernorm", false);
        Value normed = x.norm(norm(), p + "norm1", at + "input_layernorm.weight");
        if (normedStream) {
            x.replace(normed);
        }
        x.add(attention(layer, p, at + "self_attention.", normed));
        Value inner = x.norm(norm(), p + "norm2", at + "post_attention_layernorm.weight");
        if (normedStream) {
            x.replace(inner);
        }
        x.add(b.plainMlp(
                p, inner, at + "mlp.dense_h_to_4h.weight", at + "mlp.dense_4h_to_h.weight", "gelu_pytorch_tanh"));
    }

    private Value attention(int layer, String p, String at, Value normed) {
        int hidden = config.hiddenSize();
        Attention attention = new Attention(b, layer, p);
        int[] order = StoredOrder.byKind(config.heads(), 1, config.headDim());
        Value qkv =
                attention.project(normed, b.matrix(hidden, StoredOrder.of(b, at + "query_key_value", hidden, order)));
        List<Value> parts = b.split(qkv, List.of(p + "q", p + "k", p + "v"), hidden, hidden, hidden);
        return b.project(KeyBias.attend(b, attention, parts, bias), p + "o", at + "dense.weight", hidden, hidden);
    }
}
