package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = x where x > 0, else α (eˣ − 1): dx = dy or dy · (y + α). */
final class EluRule implements Rule {

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
                        g.multiply(n.dy(), g.add(n.out(0), g.number(n.node().number("alpha", 1))))));
    }
}
