package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** Experts with the router of DeepSeek V3 (arXiv:2412.19437), and experts that all tokens share. */
final class GroupedExperts {

    private GroupedExperts() {}

    /** Adds the weights of the experts of one layer for each token, (S, experts). */
    @FunctionalInterface
    interface Router {
        Value weights(Experts experts, String p, String at);
    }

    /** The experts' output for a layer with tensors under {@code at}. */
    static Value write(Transformer family, String at, String p, Value normed) {
        return write(family, at, p, normed, (experts, q, of) -> weights(family, experts, q, of));
    }

    /** The same with another router. */
    static Value write(Transformer family, String at, String p, Value normed, Router router) {
        Blocks b = family.b;
        Settings settings = family.settings;
        int width = settings.integer("moe_intermediate_size");
        String count = settings.has("n_routed_experts") ? "n_routed_experts" : "num_experts";
        Experts experts = new Experts(b, p, normed, settings.integer(count), settings.integer("num_experts_per_tok"));
        Value weights = router.weights(experts, p, at);
        Value routed = experts.write(
                weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, family.activation()));
        int shared = shared(family, at);
        if (shared == 0) {
            return routed;
        }
        Value always = b.gatedMlp(p + "shared.", normed, at + "shared_experts.", width * shared, family.activation());
        return b.op("Add", p + "moe", routed, always);
    }

    /** The number of shared experts, which are stored as one. */
    private static int shared(Transformer family, String at) {
        int stored = family.b.tensors.has(at + "shared_experts.gate_proj.weight") ? 1 : 0;
        String key = family.settings.has("n_shared_experts") ? "n_shared_experts" : "num_shared_experts";
        return family.settings.count(key, stored);
    }

    /** Sigmoid scores: a stored bias affects only the choice, of groups first and then of experts. */
    static Value weights(Transformer family, Experts experts, String p, String at) {
        Settings settings = family.settings;
        String inRouter = at + "gate.e_score_correction_bias";
        String bias = family.b.tensors.has(inRouter) ? inRouter : at + "e_score_correction_bias";
        Value scores = family.b.op("Sigmoid", p + "scores", experts.logits(at + "gate.weight"));
        Value choice = experts.bestGroups(
                experts.biased(scores, bias), settings.integer("n_group", 1), settings.integer("topk_group", 1), 2);
        double epsilon = settings.flag("norm_topk_prob", true) ? 1e-20 : -1;
        return experts.chosenBy(scores, choice, epsilon, settings.number("routed_scaling_factor", 1));
    }
}
