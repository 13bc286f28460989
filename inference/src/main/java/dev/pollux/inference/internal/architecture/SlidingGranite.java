package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Granite's attention with sinks, a window on three of four layers, and a rotary base for each layer, 0 for no rotation. */
final class SlidingGranite {

    private final Transformer family;
    private final Map<Double, Rotary> rotaries = new HashMap<>();

    SlidingGranite(Transformer family) {
        this.family = family;
    }

    Attention attention(int layer, String p) {
        Settings settings = family.settings;
        boolean slides = settings.has("layer_types") ? family.slides(layer) : layer % 4 != 0;
        Attention attention = new Attention(family.b, layer, p)
                .scale(settings.number("attention_multiplier", 1))
                .window(slides ? settings.count("sliding_window", 128) : 0)
                .sinks(Transformer.at(layer) + "self_attn.sinks");
        double theta = theta(layer);
        return theta == 0 ? attention : attention.rotary(rotaries.computeIfAbsent(theta, this::rotary));
    }

    private double theta(int layer) {
        List<Double> bases = family.settings.numbers("layer_rope_theta");
        return layer < bases.size()
                ? bases.get(layer)
                : family.ropeSettings().number("rope_theta", family.settings.number("rope_theta", 10_000));
    }

    private Rotary rotary(double theta) {
        RotaryScaling scaling = RotaryScaling.read(family.ropeSettings(), family.config.contextLength());
        return family.b.rotary("rotary." + theta, family.config.headDim(), theta, scaling, false);
    }
}
