package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = min(max(x, low), high): dx = dy where y = x. The bounds get no gradient. */
final class ClipRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.withoutGradient(1, "a bound");
        n.withoutGradient(2, "a bound");
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.where(g.op("Equal", Map.of(), n.in(0), n.out(0)), n.dy()));
    }
}
