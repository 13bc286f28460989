package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** Nemotron 4 and Minitron (arXiv:2402.16819): layer norms that apply 1 + w, half of a head rotated, squared rectifiers. */
final class Nemotron extends Transformer {

    Nemotron(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("norm_eps", 1e-5)).withOffset(1);
    }

    @Override
    double rotatedShare() {
        return 0.5;
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "relu2");
        return b.plainMlp(p, normed, at + "up_proj.weight", at + "down_proj.weight", activation);
    }
}
