package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = slices of x by index: dx = their gradients, added up where the slices are from. Without batch axes. */
final class GatherNdRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        if (n.node().integer("batch_dims", 0) != 0) {
            throw n.refused("it has batch axes");
        }
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.op("ScatterND", Map.of("reduction", "add"), g.zeros(n.in(0)), n.in(1), n.dy()));
    }
}
