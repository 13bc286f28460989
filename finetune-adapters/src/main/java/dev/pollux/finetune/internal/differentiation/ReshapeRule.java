package dev.pollux.finetune.internal.differentiation;

/** y has the elements of x in another shape (Reshape, Squeeze, Unsqueeze, Flatten): dx = dy in the shape of x. */
final class ReshapeRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().reshapedLike(n.dy(), n.in(0)));
    }
}
