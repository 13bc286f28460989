package dev.pollux.finetune.internal.differentiation;

/** y = a / b: da = dy / b, db = −dy · y / b. */
final class DivRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.divide(n.dy(), n.in(1)));
        n.gradient(1, () -> g.negative(g.divide(g.multiply(n.dy(), n.out(0)), n.in(1))));
    }
}
