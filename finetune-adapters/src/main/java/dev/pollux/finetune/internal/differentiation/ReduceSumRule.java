package dev.pollux.finetune.internal.differentiation;

/** y = Σ x over axes: dx = dy, repeated along them. */
final class ReduceSumRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().like(n.keptDims(n.dy()), n.in(0)));
    }
}
