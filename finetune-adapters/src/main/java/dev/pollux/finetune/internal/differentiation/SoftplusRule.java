package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = ln(1 + eˣ): dx = dy · σ(x). */
final class SoftplusRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.multiply(n.dy(), g.op("Sigmoid", Map.of(), n.in(0))));
    }
}
