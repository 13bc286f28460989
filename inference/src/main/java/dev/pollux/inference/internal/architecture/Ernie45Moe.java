package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;

/** ERNIE 4.5 with experts (Baidu): a softmax router whose stored bias affects only the choice. */
final class Ernie45Moe extends Ernie45 {

    /** Below every sum of weights that a router can give. */
    private static final double LEAST_SUM = 1e-6;

    Ernie45Moe(Blocks b) {
        super(b);
        double least = settings.number("moe_norm_min", 1e-12);
        if (least > LEAST_SUM) {
            throw new UnsupportedModelException(settings.file() + ": moe_norm_min " + least
                    + " is not supported, only values up to " + LEAST_SUM + ", which change nothing");
        }
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        int last = (int) settings.number("moe_layer_end_index", -1);
        boolean routed = (layer + 1) % settings.integer("moe_layer_interval", 1) == 0
                && layer >= settings.count("moe_layer_start_index", 1)
                && (last < 0 || layer <= last);
        return routed ? experts(at(layer) + "mlp.", p, normed) : super.mlp(layer, p, normed);
    }

    private Value experts(String at, String p, Value normed) {
        int width = settings.integer("moe_intermediate_size");
        Experts experts = new Experts(b, p, normed, settings.integer("moe_num_experts"), settings.integer("moe_k"));
        Value scores = experts.softmax(experts.logits(at + "gate.weight"));
        Value choice = experts.biased(scores, at + "moe_statics.e_score_correction_bias");
        Value weights = experts.chosenBy(scores, choice, 0, 1);
        Value routed =
                experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        int shared = settings.count("moe_num_shared_experts", 2);
        if (shared == 0) {
            return routed;
        }
        Value always = b.gatedMlp(p + "shared.", normed, at + "shared_experts.", width * shared, activation());
        return b.op("Add", p + "moe", routed, always);
    }
}
