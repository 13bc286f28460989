package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** GPTBigCode, SantaCoder and StarCoder (Li et al., arXiv:2305.06161): GPT-2 with one key and value for all heads. */
final class GptBigCode extends Transformer {

    private final boolean shared = settings.flag("multi_query", true);

    GptBigCode(Blocks b) {
        super(b);
        if (settings.flag("add_cross_attention", false)) {
            throw new UnsupportedModelException(
                    settings.file() + ": add_cross_attention is true; only decoders by themselves are supported");
        }
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    Value embedding() {
        Value tokens = b.embed("transformer.wte.weight");
        return b.op("Add", "embedded", tokens, positions("transformer.wpe.weight"));
    }

    @Override
    String finalNorm() {
        return "transformer.ln_f.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = "transformer.h." + layer + ".";
        x.add(attention(layer, p, at + "attn.", x.norm(norm(), p + "norm1", at + "ln_1.weight")));
        String activation = settings.text("activation_function", "gelu_pytorch_tanh");
        Value inner = x.norm(norm(), p + "norm2", at + "ln_2.weight");
        x.add(b.plainMlp(p, inner, at + "mlp.c_fc.weight", at + "mlp.c_proj.weight", activation));
    }

    private Value attention(int layer, String p, String at, Value normed) {
        int hidden = config.hiddenSize();
        int heads = config.heads();
        int width = config.headDim();
        Attention attention = new Attention(b, layer, p).heads(heads, shared ? 1 : heads, width);
        attention.scale(settings.flag("scale_attn_weights", true) ? attention.scale() : 1);
        String weight = shared
                ? at + "c_attn.weight"
                : StoredOrder.of(b, at + "c_attn", hidden, StoredOrder.byKind(heads, 1, width));
        Value attended = attention.attend(attention.project(normed, b.matrix(hidden, weight)));
        return attention.output(attended, at + "c_proj.weight");
    }
}
