package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = cos x: dx = −dy · sin x. */
final class CosRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> g.negative(g.multiply(n.dy(), g.op("Sin", Map.of(), n.in(0)))));
    }
}
