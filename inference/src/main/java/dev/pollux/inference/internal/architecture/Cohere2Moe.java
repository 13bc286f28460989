package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Norm;
import java.util.List;

/** Cohere with experts: Command A's attention, a softmax or sigmoid of the chosen experts' logits, shared experts. */
final class Cohere2Moe extends Cohere2 {

    Cohere2Moe(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return settings.has("rms_norm_eps") ? Norm.rms(settings.number("rms_norm_eps", 1e-5)) : super.norm();
    }

    /** Dense layers rotate even if they do not slide, where their pattern is 1. */
    @Override
    Attention attention(int layer, String p) {
        Attention attention = super.attention(layer, p);
        boolean forced = isDense(layer) && settings.integer("prefix_dense_sliding_window_pattern", 1) == 1;
        return forced ? attention.rotary(rotary()) : attention;
    }

    private boolean isDense(int layer) {
        List<String> types = settings.texts("mlp_layer_types");
        return layer < types.size()
                ? types.get(layer).equals("dense")
                : layer < settings.count("first_k_dense_replace", 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        int width = config.intermediateSize();
        if (isDense(layer)) {
            int own = settings.integer("prefix_dense_intermediate_size", width);
            return b.gatedMlp(p, normed, at, own, activation());
        }
        Experts experts =
                new Experts(b, p, normed, settings.integer("num_experts"), settings.integer("num_experts_per_tok"));
        Value weights = weights(experts, p, experts.logits(at + "gate.weight"));
        Value routed =
                experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        int shared = settings.count("num_shared_experts", 0);
        if (shared == 0) {
            return routed;
        }
        Value always = b.gatedMlp(p + "shared.", normed, at + "shared_experts.", width * shared, activation());
        return b.scaled(b.op("Add", p + "moe", routed, always), isAverage() ? 0.5 : 1);
    }

    private boolean isAverage() {
        String strategy = settings.text("shared_expert_combination_strategy", "average");
        if (!List.of("average", "sum").contains(strategy)) {
            throw new UnsupportedModelException(settings.file() + ": shared_expert_combination_strategy '" + strategy
                    + "' is not supported, only average and sum");
        }
        return strategy.equals("average");
    }

    private Value weights(Experts experts, String p, Value logits) {
        String function = settings.text("expert_selection_fn", "softmax");
        return switch (function) {
            case "softmax" -> experts.softmaxOfChosen(logits);
            case "sigmoid" -> {
                double epsilon = settings.flag("norm_topk_prob", true) ? 0 : -1;
                yield experts.chosenBy(b.op("Sigmoid", p + "scores", logits), logits, epsilon, 1);
            }
            default ->
                throw new UnsupportedModelException(settings.file() + ": expert_selection_fn '" + function
                        + "' is not supported, only softmax and sigmoid");
        };
    }
}
