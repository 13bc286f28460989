package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = min(a, b): da = dy where a ≤ b, db = dy where a > b. Two inputs. */
final class MinRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.requireInputs(2);
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.where(g.op("LessOrEqual", Map.of(), n.in(0), n.in(1)), n.dy()));
        n.gradient(1, () -> g.where(g.op("Less", Map.of(), n.in(1), n.in(0)), n.dy()));
    }
}
