package dev.pollux.finetune.internal.differentiation;

/** y = a + b: da = dy, db = dy, each summed to the shape of its input. */
final class AddRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, n::dy);
        n.gradient(1, n::dy);
    }
}
