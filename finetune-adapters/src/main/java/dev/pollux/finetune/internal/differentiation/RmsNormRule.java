package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;

/**
 * The norm by the root mean square (Zhang and Sennrich, arXiv:1910.07467), over the last axis.
 *
 * <pre>
 * r = 1 / √(mean x² + ε),  x̂ = x r,  y = x̂ w,  u = dy w
 * dx = r (u − x̂ · mean(u x̂)),  dw = Σ dy x̂
 * </pre>
 */
final class RmsNormRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        Value x = n.in(0);
        Value r = g.inverseRoot(g.multiply(x, x), n.node().number("epsilon", 1e-5f));
        Value unit = g.multiply(x, r);
        n.gradient(0, () -> {
            Value u = g.multiply(n.dy(), n.in(1));
            return g.multiply(r, g.subtract(u, g.multiply(unit, g.mean(g.multiply(u, unit)))));
        });
        n.gradient(1, () -> g.multiply(n.dy(), unit));
    }
}
