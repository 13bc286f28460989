package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = ln softmax(x) along an axis: dx = dy − eʸ · Σ dy. */
final class LogSoftmaxRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        int axis = (int) n.node().integer("axis", -1);
        n.gradient(0, () -> {
            Value shares = g.op("Exp", Map.of(), n.out(0));
            return g.subtract(n.dy(), g.multiply(shares, g.sum(n.dy(), true, axis)));
        });
    }
}
