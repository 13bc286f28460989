package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Experts;

/** Experts whose weights are the largest values of the softmax over all, divided by their sum if the settings ask for it. */
final class SoftmaxExperts {

    private SoftmaxExperts() {}

    /** The output of experts with tensors under {@code at}, each {@code width} wide. */
    static Value write(Transformer family, String at, String p, Value normed, int width) {
        String count = family.settings.has("num_experts") ? "num_experts" : "num_local_experts";
        Experts experts = new Experts(
                family.b, p, normed, family.settings.integer(count), family.settings.integer("num_experts_per_tok"));
        Value weights = experts.chosenOfSoftmax(
                experts.logits(at + "gate.weight"), family.settings.flag("norm_topk_prob", false));
        return experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, family.activation()));
    }
}
