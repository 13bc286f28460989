package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import java.util.Map;

/** y = max x over axes: dx = dy where x = y, shared between equal ones. */
final class ReduceMaxRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Value largest = g.op("Equal", Map.of(), n.in(0), n.keptDims(n.out(0)));
            Value ones = g.cast(largest, ElementType.FLOAT);
            Value share = g.divide(ones, g.sum(ones, true, n.axes()));
            return g.multiply(share, n.keptDims(n.dy()));
        });
    }
}
