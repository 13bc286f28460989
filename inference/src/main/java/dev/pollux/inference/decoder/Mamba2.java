package dev.pollux.inference.decoder;

import java.util.List;

/** Mamba-2 (Dao and Gu, arXiv:2405.21060): nothing but its mixers. */
final class Mamba2 extends Backbone {

    Mamba2(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root() + "layers." + layer + ".";
        List<Double> limits = settings.numbers("time_step_limit");
        int groups = settings.integer("n_groups");
        Mamba2Mixer mixer = new Mamba2Mixer(
                at + "mixer.",
                settings.integer("num_heads"),
                settings.integer("head_dim"),
                groups,
                settings.integer("state_size"),
                groups,
                settings.number("layer_norm_epsilon", 1e-5),
                limits.isEmpty() ? 0 : limits.get(0),
                limits.size() < 2 ? Double.POSITIVE_INFINITY : limits.get(1));
        x.add(mixer.write(b, layer, p, x.norm(norm(), p + "norm", at + "norm.weight")));
    }
}
