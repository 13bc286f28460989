package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;

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
        int heads = config.heads();
        int few = config.keyValueHeads();
        int width = config.headDim();
        Attention attention = new Attention(b, layer, p);
        List<Value> qkv = b.split(
                attention.project(normed, at),
                List.of(p + "q", p + "k", p + "v"),
                heads * width,
                few * width,
                few * width);
        Value q = b.lowering().rotate(qkv.get(0), heads, rotary());
        Value k = b.lowering().rotate(qkv.get(1), few, rotary());
        attention.headNorms(norm(), at + "query_layernorm.weight", at + "key_layernorm.weight");
        return attention.output(attention.attend(q, k, qkv.get(2)), at + "o_proj.weight");
    }
}
