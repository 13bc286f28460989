package dev.pollux.finetune.internal.differentiation;

/** y = x repeated to a shape: dx = dy, summed to the shape of x. */
final class ExpandRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, n::dy);
    }
}
