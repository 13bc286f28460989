package dev.pollux.finetune.internal.differentiation;

/** y = ln x: dx = dy / x. */
final class LogRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().divide(n.dy(), n.in(0)));
    }
}
