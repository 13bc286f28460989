package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = x · max(0, min(1, x/6 + 1/2)): dx = dy · (0 for x ≤ −3, 1 for x ≥ 3, else x/3 + 1/2). */
final class HardSwishRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value inner = g.add(g.multiply(n.in(0), g.number(1.0 / 3)), g.number(0.5));
            Value lower = g.where(g.greater(n.in(0), g.number(-3)), inner);
            Value slope = g.op("Where", Map.of(), g.greater(n.in(0), g.number(3)), g.number(1), lower);
            return g.multiply(n.dy(), slope);
        });
    }
}
