package dev.pollux.finetune.internal.differentiation;

/** y = 1 / x: dx = −dy · y². */
final class ReciprocalRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.negative(g.multiply(n.dy(), g.multiply(n.out(0), n.out(0)))));
    }
}
