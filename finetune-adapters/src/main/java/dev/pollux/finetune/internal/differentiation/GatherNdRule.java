package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/**
 * y = slices of x by index: dx = their gradients, added up where the slices are from. With one batch axis, each row has indices
 * of one number, which select along the next axis.
 */
final class GatherNdRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        long batch = n.node().integer("batch_dims", 0);
        if (batch == 0) {
            n.gradient(0, () -> g.op("ScatterND", Map.of("reduction", "add"), g.zeros(n.in(0)), n.in(1), n.dy()));
            return;
        }
        if (batch != 1 || n.in(0).shape().rank() != 3 || n.in(1).shape().rank() != 2 || n.known(n.in(1), 1) != 1) {
            throw n.refused("it has batch axes and does not select one vector a row");
        }
        n.gradient(0, () -> {
            Value rows = g.op("Unsqueeze", Map.of(), n.dy(), g.integers(1)); // (batch, 1, width)
            Value index = g.op("Unsqueeze", Map.of(), n.in(1), g.integers(-1)); // (batch, 1, 1)
            Value each = g.op("Expand", Map.of(), index, g.op("Shape", Map.of(), rows));
            Map<String, ?> along = Map.of("axis", 1, "reduction", "add");
            return g.shaped(g.op("ScatterElements", along, g.zeros(n.in(0)), each, rows), n.in(0));
        });
    }
}
