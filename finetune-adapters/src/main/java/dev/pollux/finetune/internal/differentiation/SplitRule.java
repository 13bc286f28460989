package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** Parts of x along an axis: dx = the gradients of the parts along it, zeros for a part that has none. */
final class SplitRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value[] parts = new Value[n.node().outputs().size()];
            for (int i = 0; i < parts.length; i++) {
                Value part = n.out(i);
                parts[i] = n.dy(i).orElseGet(() -> g.zeros(part));
            }
            return g.op("Concat", Map.of("axis", (int) n.node().integer("axis", 0)), parts);
        });
    }
}
