package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = |x|: dx = dy · sign x. */
final class AbsRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.multiply(n.dy(), g.op("Sign", Map.of(), n.in(0))));
    }
}
