package dev.pollux.finetune.internal.differentiation;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** y = x with its axes in another order: dx = dy with the inverse order. */
final class TransposeRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        n.gradient(0, () -> {
            List<Long> order = n.node().integers("perm");
            Integer[] inverse = new Integer[n.in(0).shape().rank()];
            for (int i = 0; i < inverse.length; i++) {
                int from =
                        order.isEmpty() ? inverse.length - 1 - i : order.get(i).intValue();
                inverse[from] = i;
            }
            return n.graph().op("Transpose", Map.of("perm", Arrays.asList(inverse)), n.dy());
        });
    }
}
