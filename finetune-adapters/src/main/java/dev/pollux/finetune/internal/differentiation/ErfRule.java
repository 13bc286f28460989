package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = erf x: dx = dy · 2/√π · e^(−x²). */
final class ErfRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value bell = g.op("Exp", Map.of(), g.negative(g.multiply(n.in(0), n.in(0))));
            return g.multiply(n.dy(), g.multiply(bell, g.number(2 / Math.sqrt(Math.PI))));
        });
    }
}
