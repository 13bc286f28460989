package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;

/** MiniCPM 3 (OpenBMB, arXiv:2404.06395): latent attention of DeepSeek, dense, with factors of embeddings, residuals and logits. */
final class MiniCpm3 extends DeepseekV3 {

    private final double residual =
            settings.number("scale_depth", Math.sqrt(config.layers())) / Math.sqrt(config.layers());

    MiniCpm3(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), settings.number("scale_emb", 12));
    }

    @Override
    boolean interleaved() {
        return false;
    }

    @Override
    boolean isDense(int layer) {
        return true;
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        return b.scaled(super.attention(layer, p, normed), residual);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return b.scaled(super.mlp(layer, p, normed), residual);
    }

    @Override
    public Value head(Value normed) {
        double base = settings.integer("dim_model_base", config.hiddenSize());
        return b.head(normed, "lm_head.weight", base / config.hiddenSize(), 0);
    }
}
