package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.inference.internal.layer.Residual;

/** Mamba-2 (Dao and Gu, arXiv:2405.21060): mixers only. */
final class Mamba2 extends Backbone {

    Mamba2(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root() + "layers." + layer + ".";
        Mamba2Mixer mixer = new Mamba2Mixer(
                at + "mixer.",
                settings.integer("num_heads"),
                settings.integer("head_dim"),
                settings.integer("n_groups"),
                settings.integer("state_size"),
                settings.number("layer_norm_epsilon", 1e-5),
                Mamba2Mixer.Limits.of(settings),
                activation(),
                Mamba2Mixer.Gating.BEFORE_NORM);
        x.add(mixer.write(b, layer, p, x.norm(norm(), p + "norm", at + "norm.weight")));
    }
}
