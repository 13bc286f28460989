package dev.pollux.finetune.internal.differentiation;

/** y = x: dx = dy. */
final class IdentityRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, n::dy);
    }
}
