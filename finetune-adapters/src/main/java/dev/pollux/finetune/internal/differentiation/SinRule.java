package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = sin x: dx = dy · cos x. */
final class SinRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.multiply(n.dy(), g.op("Cos", Map.of(), n.in(0))));
    }
}
