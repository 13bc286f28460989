package dev.pollux.finetune.internal.differentiation;

/** y = a · b: da = dy · b, db = dy · a. */
final class MulRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().multiply(n.dy(), n.in(1)));
        n.gradient(1, () -> n.graph().multiply(n.dy(), n.in(0)));
    }
}
