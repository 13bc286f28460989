package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;

/**
 * Gemma 3 (Gemma team, arXiv:2503.19786): Gemma 2 with q and k normalized head by head, and with a rotary base of their own
 * for the layers that slide, five of six.
 */
final class Gemma3 extends Gemma2 {

    private final Rotary full;
    private final Rotary sliding;

    Gemma3(Blocks b) {
        super(b);
        Settings rope = settings.at("rope_parameters");
        if (rope.isEmpty() || rope.has("rope_theta")) { // as transformers 4 writes it
            Settings scaling = ropeSettings();
            double theta = settings.number("rope_theta", 1_000_000);
            full = b.rotary(
                    "rotary", config.headDim(), theta, RotaryScaling.read(scaling, config.contextLength()), false);
            sliding = b.rotary(
                    "rotary.sliding",
                    config.headDim(),
                    settings.number("rope_local_base_freq", 10_000),
                    new RotaryScaling.None(),
                    false);
        } else {
            full = rotary("rotary", rope.at("full_attention"), config.headDim(), false);
            sliding = rotary("rotary.sliding", rope.at("sliding_attention"), config.headDim(), false);
        }
    }

    @Override
    Rotary newRotary() {
        return full;
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return super.attention(layer, p)
                .softCap(0) // its configurations have attn_logit_softcapping still, which no implementation applies
                .rotary(slidesHere(layer) ? sliding : full)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    boolean slidesHere(int layer) {
        int pattern = settings.integer("sliding_window_pattern", settings.integer("_sliding_window_pattern", 6));
        return settings.has("layer_types") ? slides(layer) : (layer + 1) % pattern != 0;
    }
}
