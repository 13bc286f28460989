package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** MiniMax M2: q and k normalized over all heads, a part of a head rotated, sigmoid router with a bias that only chooses. */
final class MiniMaxM2 extends Mixtral {

    MiniMaxM2(Blocks b) {
        super(b);
    }

    @Override
    double rotatedShare() {
        return (double) settings.integer("rotary_dim", config.headDim()) / config.headDim();
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return new Attention(b, layer, p)
                .rotary(rotary())
                .wholeNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value weights(Experts experts, String p, String at) {
        Value scores = b.op("Sigmoid", p + "scores", experts.logits(at + "gate.weight"));
        Value choice = experts.biased(scores, at + "e_score_correction_bias");
        return experts.chosenBy(scores, choice, 0, 1);
    }
}
