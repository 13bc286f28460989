package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** Routed experts plus a shared expert with a separate gate: Qwen 2 with experts, Qwen3-Next. */
final class SharedExperts {

    private SharedExperts() {}

    /**
     * The experts' output for a layer with tensors under {@code at}.
     *
     * @param normalized whether weights are divided by their sum where the settings do not say it
     */
    static Value write(Transformer family, String at, String p, Value normed, boolean normalized) {
        Blocks b = family.b;
        Experts experts = new Experts(
                b, p, normed, family.settings.integer("num_experts"), family.settings.integer("num_experts_per_tok"));
        Value weights = experts.chosenOfSoftmax(
                experts.logits(at + "gate.weight"), family.settings.flag("norm_topk_prob", normalized));
        int width = family.settings.integer("moe_intermediate_size");
        Value routed = experts.write(
                weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, family.activation()));
        int sharedWidth = family.settings.integer("shared_expert_intermediate_size");
        Value shared = b.gatedMlp(p + "shared.", normed, at + "shared_expert.", sharedWidth, family.activation());
        Value gate =
                b.project(normed, p + "shared.opening", at + "shared_expert_gate.weight", 1, b.config.hiddenSize());
        Value open = b.op("Mul", p + "shared.open", shared, b.op("Sigmoid", p + "shared.sigmoid", gate));
        return b.op("Add", p + "moe", routed, open);
    }
}
