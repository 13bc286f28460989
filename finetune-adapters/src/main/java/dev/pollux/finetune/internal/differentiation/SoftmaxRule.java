package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;

/** p = softmax(x) along an axis: dx = p ∘ (dy − Σ dy ∘ p). */
final class SoftmaxRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        int axis = (int) n.node().integer("axis", -1);
        n.gradient(0, () -> {
            Value product = g.multiply(n.dy(), n.out(0));
            return g.subtract(product, g.multiply(n.out(0), g.sum(product, true, axis)));
        });
    }
}
