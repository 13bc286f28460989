package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/** GPT-Neo (Black et al., 2021): learned positions, unscaled attention, every other layer slides. */
final class GptNeo extends Transformer {

    GptNeo(Blocks b) {
        super(b);
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
        String attn = at + "attn.attention.";
        Attention attention = new Attention(b, layer, p).scale(1);
        attention.window(isLocal(layer) ? settings.integer("window_size", 256) : 0);
        Value normed = x.norm(norm(), p + "norm1", at + "ln_1.weight");
        x.add(attention.output(attention.attend(attention.project(normed, attn)), attn + "out_proj.weight"));
        String activation = settings.text("activation_function", "gelu_new");
        Value inner = x.norm(norm(), p + "norm2", at + "ln_2.weight");
        x.add(b.plainMlp(p, inner, at + "mlp.c_fc.weight", at + "mlp.c_proj.weight", activation));
    }

    private boolean isLocal(int layer) {
        List<String> types = settings.texts("attention_layers");
        if (layer >= types.size()) {
            throw new MalformedFileException(
                    settings.file() + ": attention_layers must be a list of 'global' and 'local'" + " for each of the "
                            + config.layers() + " layers but was " + types);
        }
        return types.get(layer).equals("local");
    }
}
