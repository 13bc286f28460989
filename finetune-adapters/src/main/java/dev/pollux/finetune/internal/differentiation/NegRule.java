package dev.pollux.finetune.internal.differentiation;

/** y = −x: dx = −dy. */
final class NegRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> n.graph().negative(n.dy()));
    }
}
