package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** Jais 2 (Inception, MBZUAI): layer norms, biases, a plain MLP of squared rectifiers. */
final class Jais2 extends Transformer {

    Jais2(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "relu2");
        return b.plainMlp(p, normed, at + "up_proj.weight", at + "down_proj.weight", activation);
    }
}
