package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.block.MinimumColumns;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Appends the means of blocks to the input of a product with minima; products with the same input share them.
 * <em>Confined to one thread.</em>
 */
final class BlockMeans {

    private final GraphBuilder graph;
    private final Map<String, Value> appended = new HashMap<>();

    BlockMeans(GraphBuilder graph) {
        this.graph = graph;
    }

    /** Whether the means of {@code x} can be computed: it is (B, S, columns) or (tokens, columns). */
    static boolean fit(Value x) {
        return x.shape().rank() == 2 || x.shape().rank() == 3;
    }

    /** x followed by copies of its means, (…, columns + {@link MinimumColumns#columns}). */
    Value after(Value x, MinimumColumns columns) {
        if (graph.inBranch()) { // its values are not visible outside it
            return append(x, columns);
        }
        return appended.computeIfAbsent(x.name(), name -> append(x, columns));
    }

    private Value append(Value x, MinimumColumns columns) {
        String name = x.name() + ".means";
        int rank = x.shape().rank();
        Value axis = rank == 3 ? Value.NONE : axis();
        Value batch = rank == 3 ? x : graph.op("Unsqueeze", name + ".batch", x, axis);
        Value means = graph.op(
                "AveragePool",
                rank == 3 ? name : name + ".batch.of",
                List.of(batch),
                Map.of("kernel_shape", List.of(MinimumColumns.BLOCK), "strides", List.of(MinimumColumns.BLOCK)));
        List<Value> parts = new ArrayList<>(List.of(x));
        parts.addAll(Collections.nCopies(columns.copies(), rank == 3 ? means : graph.op("Squeeze", name, means, axis)));
        return graph.op("Concat", x.name() + ".and.means", parts, Map.of("axis", rank - 1));
    }

    private Value axis() {
        Value known = graph.value("means.axis");
        return known.shape().isRanked() ? known : graph.integers("means.axis", 0);
    }
}
