package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;

/**
 * Laguna (Poolside): a gate of attention for each head or element, heads of each layer by themselves, rotary settings by the
 * type of a layer, a sigmoid router with a bias that only chooses, a shared expert.
 */
final class Laguna extends Transformer {

    private final Rotary full;
    private final Rotary sliding;

    Laguna(Blocks b) {
        super(b);
        full = rotary("rotary", ropeSettings().at("full_attention"), config.headDim(), false);
        sliding = rotary("rotary.sliding", ropeSettings().at("sliding_attention"), config.headDim(), false);
        if (settings.flag("moe_apply_router_weight_on_input", false)) {
            throw new UnsupportedModelException(
                    settings.file() + ": moe_apply_router_weight_on_input true is not supported, only false");
        }
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        List<Double> heads = settings.numbers("num_attention_heads_per_layer");
        int own = layer < heads.size() ? heads.get(layer).intValue() : config.heads();
        return new Attention(b, layer, p)
                .heads(own, config.keyValueHeads(), config.headDim())
                .rotary(slides(layer) ? sliding : full)
                .window(slides(layer) ? settings.integer("sliding_window") : 0)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention = attention(layer, p);
        int heads = attention.heads();
        int width = attention.width();
        Value attended = attention.attend(attention.project(normed, at));
        int gates = b.tensors.require(at + "g_proj.weight").dim(0);
        Value raw = b.project(normed, p + "g", at + "g_proj.weight", gates, config.hiddenSize());
        Value open = b.op("Softplus", p + "g.open", raw);
        Value gated = gates == heads
                ? b.perToken(
                        b.op(
                                "Mul",
                                p + "attention.each",
                                b.perToken(attended, p + "attention.heads", heads, width),
                                b.perToken(open, p + "g.heads", heads, 1)),
                        p + "attention.gated",
                        (long) heads * width)
                : b.op("Mul", p + "attention.gated", attended, open);
        return attention.output(gated, at + "o_proj.weight");
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
        Value scores = b.op("Sigmoid", p + "scores", capped(p, experts.logits(at + "gate.weight")));
        Value choice = experts.biased(scores, at + "experts.e_score_correction_bias");
        Value weights = experts.chosenBy(scores, choice, 0, settings.number("moe_routed_scaling_factor", 1));
        Value routed =
                experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        int shared = settings.integer("shared_expert_intermediate_size");
        Value always = b.gatedMlp(p + "shared.", normed, at + "shared_expert.", shared, activation());
        return b.op("Add", p + "moe", routed, always);
    }

    private Value capped(String p, Value logits) {
        double cap = settings.number("moe_router_logit_softcapping", 0);
        if (cap == 0) {
            return logits;
        }
        Value within = b.op("Tanh", p + "router.tanh", b.op("Mul", p + "router.less", logits, b.constant(1 / cap)));
        return b.op("Mul", p + "router.capped", within, b.constant(cap));
    }
}
