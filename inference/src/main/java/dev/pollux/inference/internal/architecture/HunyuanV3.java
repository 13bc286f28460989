package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import java.util.List;

/** Hunyuan 3 (Tencent): q and k normalized head by head, a sigmoid router with a bias that only chooses, a shared expert. */
final class HunyuanV3 extends Transformer {

    HunyuanV3(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return super.attention(layer, p).headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        List<String> types = settings.texts("mlp_layer_types");
        boolean dense = layer < types.size() ? types.get(layer).equals("dense") : layer == 0;
        if (dense) {
            return super.mlp(layer, p, normed);
        }
        String at = at(layer) + "mlp.";
        int width = settings.integer("moe_intermediate_size");
        Experts experts =
                new Experts(b, p, normed, settings.integer("num_experts"), settings.integer("num_experts_per_tok"));
        Value scores = b.op("Sigmoid", p + "scores", experts.logits(at + "router.gate.weight"));
        Value choice = experts.biased(scores, at + "expert_bias");
        Value weights = experts.chosenBy(scores, choice, 1e-20, settings.number("router_scaling_factor", 1));
        Value routed =
                experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        int shared = width * settings.integer("num_shared_experts", 1);
        Value always = b.gatedMlp(p + "shared.", normed, at + "shared_mlp.", shared, activation());
        return b.op("Add", p + "moe", routed, always);
    }
}
