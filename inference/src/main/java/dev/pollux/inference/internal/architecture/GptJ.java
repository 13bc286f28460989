package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;

/** GPT-J (Wang and Komatsuzaki, 2021): attention and MLP in parallel after one norm, a part of a head rotated in neighbours. */
class GptJ extends Transformer {

    GptJ(Blocks b) {
        super(b);
    }

    @Override
    final Norm norm() {
        return Norm.layer(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    final Rotary newRotary() {
        return b.rotary("rotary", settings.integer("rotary_dim"), 10_000, new RotaryScaling.None(), true);
    }

    @Override
    final Value embedding() {
        return b.embed("transformer.wte.weight");
    }

    @Override
    final String finalNorm() {
        return "transformer.ln_f.weight";
    }

    @Override
    final void layer(int layer, String p, Residual x) {
        String at = "transformer.h." + layer + ".";
        Value normed = x.norm(norm(), p + "norm", at + "ln_1.weight");
        Attention attention = attention(layer, p);
        Value attended = attention.attend(project(attention, normed, at + "attn."));
        x.add(attention.output(attended, at + "attn.out_proj.weight"));
        String activation = settings.text("activation_function", "gelu_new");
        x.add(b.plainMlp(p, normed, at + "mlp.fc_in.weight", at + "mlp.fc_out.weight", activation));
    }

    Value project(Attention attention, Value normed, String at) {
        return attention.project(normed, at);
    }
}
