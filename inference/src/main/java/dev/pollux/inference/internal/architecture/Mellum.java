package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;

/** Mellum 2 (JetBrains): Qwen 3 with experts, with a rotary base for layers that slide and one for full layers. */
final class Mellum extends Qwen3Moe {

    private final Rotary full;
    private final Rotary sliding;

    Mellum(Blocks b) {
        super(b);
        full = rotary("rotary", ropeSettings().at("full_attention"), config.headDim(), false);
        sliding = rotary("rotary.sliding", ropeSettings().at("sliding_attention"), config.headDim(), false);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return new Attention(b, layer, p)
                .rotary(slides(layer) ? sliding : full)
                .window(slides(layer) ? settings.integer("sliding_window") : 0)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    boolean isDense(int layer) {
        List<String> types = settings.texts("mlp_layer_types");
        return layer < types.size() && types.get(layer).equals("dense");
    }
}
