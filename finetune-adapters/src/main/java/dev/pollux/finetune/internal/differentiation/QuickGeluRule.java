package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = x · σ(α x), with α = 1 the SiLU; s = σ(α x): dx = dy · (s + α y (1 − s)). */
final class QuickGeluRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        float alpha = n.node().number("alpha", 1.702f);
        n.gradient(0, () -> {
            Value scaled = alpha == 1 ? n.in(0) : g.multiply(n.in(0), g.number(alpha));
            Value s = g.op("Sigmoid", Map.of(), scaled);
            Value rest = g.multiply(n.out(0), g.subtract(g.number(1), s));
            return g.multiply(n.dy(), g.add(s, alpha == 1 ? rest : g.multiply(rest, g.number(alpha))));
        });
    }
}
