package dev.pollux.finetune.internal.differentiation;

/** y = eˣ: dx = dy · y. */
final class ExpRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().multiply(n.dy(), n.out(0)));
    }
}
