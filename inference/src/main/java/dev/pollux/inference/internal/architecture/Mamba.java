package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.MambaMixer;
import dev.pollux.inference.internal.layer.Residual;

/** Mamba (Gu and Dao, arXiv:2312.00752): mixers only. Falcon Mamba (arXiv:2410.05355) normalizes the step, B and C. */
final class Mamba extends Backbone {

    private final boolean normed = config.architecture().equals("FalconMambaForCausalLM");

    Mamba(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual stream) {
        Value x = stream.norm(norm(), p + "norm", root() + "layers." + layer + ".norm.weight");
        MambaMixer mixer = new MambaMixer(
                root() + "layers." + layer + ".mixer.",
                settings.integer("intermediate_size", settings.integer("expand", 2) * config.hiddenSize()),
                settings.integer("state_size", 16),
                activation(),
                normed ? MambaMixer.InputNorms.PLAIN : MambaMixer.InputNorms.NONE,
                settings.number("mixer_rms_eps", 1e-6));
        stream.add(mixer.write(b, layer, p, x));
    }
}
