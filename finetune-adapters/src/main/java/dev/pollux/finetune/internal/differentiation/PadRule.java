package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = x with zeros around it, or without its margins where pads are negative: dx = dy with the opposite pads. Only zeros. */
final class PadRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        if (!n.node().text("mode", "constant").equals("constant") || !n.in(3).isNone()) {
            throw n.refused("its mode is not constant or it has axes");
        }
        n.withoutGradient(2, "the value of padding");
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            long[] opposite = n.integers(1).clone();
            for (int i = 0; i < opposite.length; i++) {
                opposite[i] = -opposite[i];
            }
            return g.shaped(g.op("Pad", Map.of(), n.dy(), g.integers(opposite)), n.in(0));
        });
    }
}
