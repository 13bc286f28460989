package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = x · t with t = tanh(ln(1 + eˣ)): dx = dy · (t + x (1 − t²) σ(x)). */
final class MishRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value t = g.op("Tanh", Map.of(), g.op("Softplus", Map.of(), n.in(0)));
            Value slope = g.multiply(g.subtract(g.number(1), g.multiply(t, t)), g.op("Sigmoid", Map.of(), n.in(0)));
            return g.multiply(n.dy(), g.add(t, g.multiply(n.in(0), slope)));
        });
    }
}
