package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = rows of x by index, along the first axis: dx = the gradients of the rows, added up where they are from. */
final class GatherRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        if (n.node().integer("axis", 0) != 0) {
            throw n.refused("its axis is not the first");
        }
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value indices = g.op("Unsqueeze", Map.of(), n.in(1), g.integers(-1));
            return g.op("ScatterND", Map.of("reduction", "add"), g.zeros(n.in(0)), indices, n.dy());
        });
    }
}
