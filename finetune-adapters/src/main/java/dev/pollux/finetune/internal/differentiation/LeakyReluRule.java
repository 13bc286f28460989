package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = x where x > 0, else α x: dx = dy or α dy. */
final class LeakyReluRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(
                0,
                () -> g.op(
                        "Where",
                        Map.of(),
                        g.greater(n.in(0), g.number(0)),
                        n.dy(),
                        g.multiply(n.dy(), g.number(n.node().number("alpha", 0.01f)))));
    }
}
