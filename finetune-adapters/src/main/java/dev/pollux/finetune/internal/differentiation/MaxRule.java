package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = max(a, b): da = dy where a ≥ b, db = dy where b > a. Two inputs. */
final class MaxRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.requireInputs(2);
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.where(g.op("GreaterOrEqual", Map.of(), n.in(0), n.in(1)), n.dy()));
        n.gradient(1, () -> g.where(g.greater(n.in(1), n.in(0)), n.dy()));
    }
}
