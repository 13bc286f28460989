package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** Hunyuan-A13B (Tencent): the attention of Hunyuan dense, experts and a shared MLP. */
final class HunyuanMoe extends HunyuanDense {

    HunyuanMoe(Blocks b) {
        super(b);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        int width = config.intermediateSize();
        Experts experts = new Experts(b, p, normed, ofLayer("num_experts", layer), ofLayer("moe_topk", layer));
        Value weights = experts.chosenOfSoftmax(experts.logits(at + "gate.wg.weight"), true);
        Value routed =
                experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        Value shared = b.gatedMlp(p + "shared.", normed, at + "shared_mlp.", width, activation());
        return b.op("Add", p + "moe", routed, shared);
    }

    /** A number, for all layers or for each. */
    private int ofLayer(String key, int layer) {
        return settings.isList(key) ? settings.numbers(key).get(layer).intValue() : settings.integer(key, 1);
    }
}
