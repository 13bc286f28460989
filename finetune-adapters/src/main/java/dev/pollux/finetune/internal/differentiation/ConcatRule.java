package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Arrays;
import java.util.List;

/** y = parts along an axis: the gradient of each is its part of dy. */
final class ConcatRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        int axis = (int) n.node().integer("axis", 0);
        int count = n.node().inputs().size();
        Integer[] sizes = new Integer[count];
        for (int i = 0; i < count; i++) {
            sizes[i] = Math.toIntExact(n.known(n.in(i), axis));
        }
        List<Value> parts = g.split(n.dy(), axis, Arrays.asList(sizes));
        for (int i = 0; i < count; i++) {
            Value part = parts.get(i);
            n.gradient(i, () -> part);
        }
    }
}
