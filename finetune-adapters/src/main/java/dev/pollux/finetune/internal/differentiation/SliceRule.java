package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Shape;
import java.util.Map;

/** y = a range of x along axes, in steps of 1: dx = dy with zeros around it. */
final class SliceRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(0, () -> {
            Shape shape = n.in(0).shape();
            long[] starts = n.integers(1);
            long[] ends = n.integers(2);
            long[] pads = new long[2 * shape.rank()];
            for (int i = 0; i < starts.length; i++) {
                int axis = n.in(3).isNone() ? i : (int) n.integers(3)[i];
                int at = axis < 0 ? axis + shape.rank() : axis;
                if (!n.in(4).isNone() && n.integers(4)[i] != 1) {
                    throw n.refused("its steps are not 1");
                }
                long size = n.known(n.in(0), at);
                pads[at] = within(starts[i], size);
                pads[shape.rank() + at] = size - within(ends[i], size);
            }
            return g.shaped(g.op("Pad", Map.of(), n.dy(), g.integers(pads)), n.in(0));
        });
    }

    private static long within(long index, long size) {
        return Math.max(0, Math.min(size, index < 0 ? index + size : index));
    }
}
