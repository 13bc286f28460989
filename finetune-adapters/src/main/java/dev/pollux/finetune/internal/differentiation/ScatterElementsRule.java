package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/**
 * y = x with updates u at indices along an axis, added or in place of what is there: du = the elements of dy at the indices;
 * dx = dy, with zeros at the indices if they are replaced.
 */
final class ScatterElementsRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        String reduction = n.node().text("reduction", "none");
        if (!reduction.equals("none") && !reduction.equals("add")) {
            throw n.refused("its reduction is " + reduction);
        }
        BackwardGraph g = n.graph();
        Map<String, Integer> axis = Map.of("axis", (int) n.node().integer("axis", 0));
        n.gradient(
                0,
                () -> reduction.equals("add")
                        ? n.dy()
                        : g.op("ScatterElements", axis, n.dy(), n.in(1), g.zeros(n.in(2))));
        n.gradient(2, () -> g.op("GatherElements", axis, n.dy(), n.in(1)));
    }
}
