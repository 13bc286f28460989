package dev.pollux.finetune.internal.differentiation;

/** y = a − b: da = dy, db = −dy. */
final class SubRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, n::dy);
        n.gradient(1, () -> n.graph().negative(n.dy()));
    }
}
