package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/**
 * y = x with updates u at indices of slices, added or in place of what is there: du = the slices of dy at the indices; dx =
 * dy, with zeros at the indices if they are replaced.
 */
final class ScatterNdRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        String reduction = n.node().text("reduction", "none");
        if (!reduction.equals("none") && !reduction.equals("add")) {
            throw n.refused("its reduction is " + reduction);
        }
        BackwardGraph g = n.graph();
        n.gradient(
                0,
                () -> reduction.equals("add")
                        ? n.dy()
                        : g.op("ScatterND", Map.of(), n.dy(), n.in(1), g.zeros(n.in(2))));
        n.gradient(2, () -> g.op("GatherND", Map.of(), n.dy(), n.in(1)));
    }
}
