package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;

/** y = the mean of x over axes: dx = dy / n, repeated along them. */
final class ReduceMeanRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value each = g.like(n.keptDims(n.dy()), n.in(0));
            return g.multiply(each, g.divide(g.count(n.out(0)), g.count(n.in(0))));
        });
    }
}
