package dev.pollux.finetune.internal.differentiation;

/** y = tanh x: dx = dy · (1 − y²). */
final class TanhRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.multiply(n.dy(), g.subtract(g.number(1), g.multiply(n.out(0), n.out(0)))));
    }
}
