package dev.pollux.finetune.internal.differentiation;

/** y = σ(x): dx = dy · y · (1 − y). */
final class SigmoidRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.multiply(n.dy(), g.multiply(n.out(0), g.subtract(g.number(1), n.out(0)))));
    }
}
