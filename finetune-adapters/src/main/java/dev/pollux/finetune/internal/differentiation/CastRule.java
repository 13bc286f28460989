package dev.pollux.finetune.internal.differentiation;

/** y = x in another type: dx = dy in the type of x. */
final class CastRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().cast(n.dy(), n.in(0).type()));
    }
}
