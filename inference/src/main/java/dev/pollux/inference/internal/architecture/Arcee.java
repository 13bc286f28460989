package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;

/** Arcee AFM: Llama with a plain MLP of squared rectifiers. */
final class Arcee extends Transformer {

    Arcee(Blocks b) {
        super(b);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "relu2");
        return b.plainMlp(p, normed, at + "up_proj.weight", at + "down_proj.weight", activation);
    }
}
