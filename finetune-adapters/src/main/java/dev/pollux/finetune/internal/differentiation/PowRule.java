package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = x^c: dx = c · x^(c − 1) · dy. The exponent gets no gradient. */
final class PowRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.withoutGradient(1, "an exponent");
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value less = g.op("Pow", Map.of(), n.in(0), g.subtract(n.in(1), g.number(1)));
            return g.multiply(n.dy(), g.multiply(n.in(1), less));
        });
    }
}
