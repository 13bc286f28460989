package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** Persimmon (Adept): layer norms also of q and k, half of a head rotated, q, k and v stored head by head, squared rectifiers. */
final class Persimmon extends Transformer {

    Persimmon(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    double rotatedShare() {
        return 0.5;
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p).heads(config.heads(), config.heads(), config.headDim());
        if (settings.flag("qk_layernorm", true)) {
            attention.headNorms(norm(), at + "q_layernorm.weight", at + "k_layernorm.weight");
        }
        int[] order = StoredOrder.byKind(config.heads(), 1, config.headDim());
        int hidden = config.hiddenSize();
        String weight = StoredOrder.of(b, at + "query_key_value", hidden, order);
        return attention.output(
                attention.attend(attention.project(normed, b.matrix(hidden, weight))), at + "dense.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "relu2");
        return b.plainMlp(p, normed, at + "dense_h_to_4h.weight", at + "dense_4h_to_h.weight", activation);
    }
}
