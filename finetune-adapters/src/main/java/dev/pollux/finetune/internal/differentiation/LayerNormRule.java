package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;

/**
 * The norm by mean and variance (Ba et al., arXiv:1607.06450), over the last axis.
 *
 * <pre>
 * c = x − mean x,  r = 1 / √(mean c² + ε),  x̂ = c r,  y = x̂ w + b,  u = dy w
 * dx = r (u − mean u − x̂ · mean(u x̂)),  dw = Σ dy x̂,  db = Σ dy
 * </pre>
 */
final class LayerNormRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        long axis = n.node().integer("axis", -1);
        if (axis != -1 && axis != n.in(0).shape().rank() - 1) {
            throw n.refused("its axis " + axis + " is not the last");
        }
        BackwardGraph g = n.graph();
        Value centred = g.subtract(n.in(0), g.mean(n.in(0)));
        Value r = g.inverseRoot(g.multiply(centred, centred), n.node().number("epsilon", 1e-5f));
        Value unit = g.multiply(centred, r);
        n.gradient(0, () -> {
            Value u = g.multiply(n.dy(), n.in(1));
            Value along = g.multiply(unit, g.mean(g.multiply(u, unit)));
            return g.multiply(r, g.subtract(g.subtract(u, g.mean(u)), along));
        });
        n.gradient(1, () -> g.multiply(n.dy(), unit));
        n.gradient(2, n::dy);
    }
}
