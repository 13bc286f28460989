package dev.pollux.inference.decoder;

/** Cohere Command A and R7B: attention and MLP side by side; layers that slide rotate neighbours, full ones do not rotate. */
final class Cohere2 extends Transformer {

    Cohere2(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("layer_norm_eps", 1e-5));
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), config.headDim(), true);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String normed = x.norm(norm(), p + "norm", at(layer) + "input_layernorm.weight");
        x.add(attention(layer, p, normed));
        x.add(mlp(layer, p, normed));
    }

    @Override
    Attention attention(int layer, String p) {
        int pattern = settings.integer("sliding_window_pattern", settings.integer("_sliding_window_pattern", 4));
        boolean slides = settings.has("layer_types") ? slides(layer) : (layer + 1) % pattern != 0;
        return slides
                ? super.attention(layer, p).window(settings.integer("sliding_window", 4096))
                : new Attention(b, layer, p);
    }

    @Override
    void head(String normed) {
        b.head(normed, "lm_head.weight", settings.number("logit_scale", 1), 0);
    }
}
