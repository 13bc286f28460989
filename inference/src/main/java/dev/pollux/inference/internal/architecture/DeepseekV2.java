package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/**
 * DeepSeek V2 (arXiv:2405.04434): the attention of DeepSeek V3, and a softmax router that chooses the best experts, or the
 * best within the groups that have the largest members.
 */
final class DeepseekV2 extends DeepseekV3 {

    DeepseekV2(Blocks b) {
        super(b);
    }

    @Override
    Value weights(Experts experts, String p, String at) {
        Value scores = experts.softmax(experts.logits(at + "gate.weight"));
        String method = settings.text("topk_method", "greedy");
        Value choice = switch (method) {
            case "greedy" -> scores;
            case "group_limited_greedy" ->
                experts.bestGroups(scores, settings.integer("n_group"), settings.integer("topk_group"), 1);
            default ->
                throw new UnsupportedModelException(settings.file() + ": topk_method '" + method
                        + "' is not supported, only greedy and group_limited_greedy");
        };
        return experts.chosenBy(scores, choice, -1, settings.number("routed_scaling_factor", 1));
    }
}
