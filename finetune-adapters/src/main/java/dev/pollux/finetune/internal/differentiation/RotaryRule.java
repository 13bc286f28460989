package dev.pollux.finetune.internal.differentiation;

/**
 * Rotary positions (Su et al., arXiv:2104.09864): each pair is turned by an angle, and its gradient by the opposite angle,
 * which is the same operator with −sin.
 */
final class RotaryRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.again(n.node(), n.dy(), n.in(1), n.in(2), g.negative(n.in(3))));
    }
}
