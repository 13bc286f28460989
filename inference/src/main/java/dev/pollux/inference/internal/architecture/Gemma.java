package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;

/** Gemma (Gemma team, arXiv:2403.08295): Llama with norms that apply 1 + w and scaled embeddings. */
final class Gemma extends Transformer {

    Gemma(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return super.norm().withOffset(1);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), Math.sqrt(config.hiddenSize()));
    }

    @Override
    String activation() {
        String named = settings.text("hidden_activation", settings.text("hidden_act", "gelu_pytorch_tanh"));
        return named.equals("gelu") ? "gelu_pytorch_tanh" : named; // older configurations name the wrong one
    }
}
