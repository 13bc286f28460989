package dev.pollux.finetune.internal.differentiation;

/** y = max(x, 0): dx = dy where x > 0. */
final class ReluRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().where(n.graph().greater(n.in(0), n.graph().number(0)), n.dy()));
    }
}
