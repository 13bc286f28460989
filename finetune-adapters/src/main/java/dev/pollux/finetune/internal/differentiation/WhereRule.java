package dev.pollux.finetune.internal.differentiation;

import java.util.Map;

/** y = c ? a : b: da = dy where c, db = dy where not c. */
final class WhereRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        BackwardGraph g = n.graph();
        n.gradient(1, () -> g.where(n.in(0), n.dy()));
        n.gradient(2, () -> g.where(g.op("Not", Map.of(), n.in(0)), n.dy()));
    }
}
