package dev.pollux.finetune.internal.differentiation;

/** y = √x: dx = dy / (2 y). */
final class SqrtRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.divide(g.multiply(n.dy(), g.number(0.5)), n.out(0)));
    }
}
