package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/** HyperCLOVA X SEED (NAVER, arXiv:2601.03286): Granite with factors of logits and optional norms after attention and MLP. */
final class HyperClovaX extends Transformer {

    HyperClovaX(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), settings.number("embedding_multiplier", 1));
    }

    @Override
    Attention attention(int layer, String p) {
        double usual = 1 / Math.sqrt(config.headDim());
        return super.attention(layer, p).scale(settings.number("attention_multiplier", usual));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        return finished(p + "norm1.after", super.attention(layer, p, normed), at(layer) + "post_norm1.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        return finished(p + "norm2.after", super.mlp(layer, p, normed), at(layer) + "post_norm2.weight");
    }

    private Value finished(String output, Value x, String weight) {
        Value normed = settings.flag("use_post_norm", true) ? after(output, x, weight) : x;
        return b.scaled(normed, settings.number("residual_multiplier", 1));
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", settings.number("logits_scaling", 1), 0);
    }
}
