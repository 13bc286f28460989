package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** The shared base of families with tensors under {@code backbone}: Mamba, Mamba-2, Nemotron-H. */
abstract class Backbone extends Transformer {

    Backbone(Blocks b) {
        super(b);
    }

    @Override
    final Norm norm() {
        return Norm.rms(settings.number("layer_norm_epsilon", 1e-5));
    }

    @Override
    final Value embedding() {
        return b.embed(root() + "embeddings.weight");
    }

    @Override
    final String finalNorm() {
        return root() + "norm_f.weight";
    }

    /** The prefix of tensor names; {@code model} in newer checkpoints. */
    final String root() {
        return b.tensors.has("backbone.embeddings.weight") ? "backbone." : "model.";
    }
}
