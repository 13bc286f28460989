package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;

/** Hunyuan dense (Tencent): Llama whose q and k are normalized head by head after rotation. */
class HunyuanDense extends Transformer {

    HunyuanDense(Blocks b) {
        super(b);
    }

    /** A rope type of {@code dynamic} with an {@code alpha} is a fixed, larger base. */
    @Override
    Rotary newRotary() {
        Settings rope = ropeSettings();
        double alpha = rope.number("alpha", 0);
        if (alpha == 0 || !rope.text("rope_type", rope.text("type", "default")).equals("dynamic")) {
            return super.newRotary();
        }
        int width = config.headDim();
        double theta = rope.number("rope_theta", settings.number("rope_theta", 10_000));
        double stretched = theta * Math.pow(alpha, width / (width - 2.0));
        return b.rotary("rotary", width, stretched, new RotaryScaling.None(), false);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        return RotatedFirst.write(
                this,
                new Attention(b, layer, p),
                normed,
                at,
                at + "query_layernorm.weight",
                at + "key_layernorm.weight");
    }
}
