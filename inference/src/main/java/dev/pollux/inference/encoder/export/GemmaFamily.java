package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.encoder.export.ConfigReader.Rotary;

/**
 * EmbeddingGemma (Vera et al., arXiv:2509.20354): Gemma 3, whose tokens see those after them too if
 * {@code use_bidirectional_attention} says so; norms before and after attention and MLP, weights counted from 1.
 */
final class GemmaFamily extends DecoderFamily {

    private final boolean[] sliding;

    GemmaFamily(Operators blocks, ConfigReader config) {
        super(blocks, config, new Traits(true, false));
        int pattern = Math.max(1, config.integerOr(6, "sliding_window_pattern", "_sliding_window_pattern"));
        this.sliding = config.sliding(layers(), layer -> (layer + 1) % pattern == 0);
        if (config.node("attn_logit_softcapping").isNumber()) {
            throw config.unsupported("attn_logit_softcapping is not supported for encoders");
        }
    }

    @Override
    Value embed() {
        return blocks.multiply(super.embed(), blocks.number(Math.sqrt(width)));
    }

    @Override
    Value norm(Value x, String stored, int size) {
        return blocks.rmsNorm(x, stored, size, epsilon, 1);
    }

    @Override
    Rotary rotary(int layer) {
        return sliding[layer]
                ? config.rotary("sliding_attention", 10_000, "rope_local_base_freq")
                : config.rotary("full_attention", 1_000_000, "rope_theta");
    }

    @Override
    Value bias(int layer) {
        int window = config.integerOr(4096, "sliding_window");
        if (config.flag(false, "use_bidirectional_attention")) {
            return sliding[layer] ? attention.window(window / 2) : Value.NONE;
        }
        return sliding[layer] ? attention.causal(window) : attention.causal();
    }

    @Override
    double scale() {
        return 1 / Math.sqrt(config.positive(256, "query_pre_attn_scalar"));
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "layers." + layer + ".";
        Value attended = attend(layer, at, norm(x, at + "input_layernorm", width));
        x = blocks.add(x, norm(attended, at + "post_attention_layernorm", width));
        Value written = mlp(at, norm(x, at + "pre_feedforward_layernorm", width));
        return blocks.add(x, norm(written, at + "post_feedforward_layernorm", width));
    }
}
