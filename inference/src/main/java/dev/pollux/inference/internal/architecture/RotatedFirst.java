package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** Attention whose queries and keys are normalized head by head after rotation. */
final class RotatedFirst {

    private RotatedFirst() {}

    /**
     * The output of the attention with tensors under {@code at}.
     *
     * @param attention without rotation and norms
     * @param query the weight of the norm of queries; empty for none
     * @param key that of keys
     */
    static Value write(Transformer family, Attention attention, Value normed, String at, String query, String key) {
        Blocks b = family.b;
        String p = attention.prefix();
        int heads = attention.heads();
        int few = attention.keyValueHeads();
        int width = attention.width();
        List<Value> qkv = b.split(
                attention.project(normed, at),
                List.of(p + "q", p + "k", p + "v"),
                heads * width,
                few * width,
                few * width);
        Value q = b.lowering().rotate(qkv.get(0), heads, family.rotary());
        Value k = b.lowering().rotate(qkv.get(1), few, family.rotary());
        Attention normedByHead = attention.headNorms(family.norm(), query, key);
        return attention.output(normedByHead.attend(q, k, qkv.get(2)), at + "o_proj.weight");
    }
}
