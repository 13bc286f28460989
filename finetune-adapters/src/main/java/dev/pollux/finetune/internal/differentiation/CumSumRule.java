package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = running sums along an axis: dx = running sums of dy from the other end. */
final class CumSumRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        if (n.node().integer("exclusive", 0) != 0) {
            throw n.refused("its sums are exclusive");
        }
        int reverse = n.node().integer("reverse", 0) == 0 ? 1 : 0;
        n.gradient(0, () -> n.graph().op("CumSum", Map.of("reverse", reverse), n.dy(), n.in(1)));
    }
}
