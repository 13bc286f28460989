package dev.pollux.inference.engine;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.GraphRewrite;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.session.GraphSession;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A decoder graph with inputs for a LoRA adapter at every projection: y = x·Wᵀ + (x·Aᵀ)·Bᵀ, where Aᵀ (columns, R) and Bᵀ (R,
 * rows) are inputs. The rank R may be 0. The weights stay in their external file.
 */
final class AdapterGraph {

    private AdapterGraph() {}

    /** The name of the input for Aᵀ. */
    static String a(Projection projection) {
        return "adapter." + projection.output() + ".a";
    }

    /** The name of the input for Bᵀ. */
    static String b(Projection projection) {
        return "adapter." + projection.output() + ".b";
    }

    /** Opens a session of the extended graph of {@code model}. The caller closes it. */
    static OrtSession session(Path model, OrtSession.SessionOptions settings, List<Projection> projections)
            throws OrtException {
        return GraphSession.of(of(GraphReader.read(model), projections), model, settings);
    }

    static Graph of(Graph graph, List<Projection> projections) {
        GraphRewrite rewrite = GraphRewrite.of(graph);
        projections.forEach(
                projection -> rewrite.replace(projection.output(), (node, to) -> extend(projection, node, to)));
        return rewrite.graph();
    }

    private static void extend(Projection projection, Node node, GraphBuilder to) {
        String y = projection.output();
        int rows = projection.rows().stream().mapToInt(Integer::intValue).sum();
        String rank = "R." + y;
        boolean lookup = projection.lookup();
        Value a = to.input(a(projection), ElementType.FLOAT, lookup ? rows : projection.columns(), rank);
        Value b = to.input(b(projection), ElementType.FLOAT, rank, lookup ? projection.columns() : rows);
        to.add(node.withOutput(0, y + ".base"));
        Value x = to.value(projection.input());
        Value low = lookup ? to.op("Gather", y + ".low", List.of(a, x), Map.of()) : to.op("MatMul", y + ".low", x, a);
        to.op("Add", y, to.value(y + ".base"), to.op("MatMul", y + ".change", low, b));
    }
}
