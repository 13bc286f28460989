package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** Granite 3 (IBM): Llama with multipliers on embeddings, attention, residuals and logits. */
class Granite extends Transformer {

    Granite(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), settings.number("embedding_multiplier", 1));
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).scale(settings.number("attention_multiplier", 1));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        return b.scaled(super.attention(layer, p, normed), settings.number("residual_multiplier", 1));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return b.scaled(super.mlp(layer, p, normed), settings.number("residual_multiplier", 1));
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1 / settings.positive("logits_scaling", 1), 0);
    }
}
