package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** The largest elements along an axis: dx = the gradients of the values where they are from. Indices have no gradient. */
final class TopKRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        Map<String, Integer> axis = Map.of("axis", (int) n.node().integer("axis", -1));
        n.gradient(0, () -> g.op("ScatterElements", axis, g.zeros(n.in(0)), n.out(1), n.dy()));
    }
}
