package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = elements of x by index along an axis: dx = dy, added up where the elements are from. */
final class GatherElementsRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        int axis = (int) n.node().integer("axis", 0);
        n.gradient(
                0,
                () -> g.op(
                        "ScatterElements",
                        Map.of("axis", axis, "reduction", "add"),
                        g.zeros(n.in(0)),
                        n.in(1),
                        n.dy()));
    }
}
