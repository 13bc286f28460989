package dev.pollux.inference.calibration;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.session.GraphSession;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A graph reduced to the nodes that compute some of its values x, with the inner products G = xᵀx as outputs. */
final class GramGraph {

    private GramGraph() {}

    /** The name of the output with the inner products of x, (width, width). */
    static String gram(String value) {
        return value + ".gram";
    }

    /**
     * Opens a session of the reduced graph of {@code model}. The caller closes it.
     *
     * @param widths the last dimension of each value, by its name
     */
    static OrtSession session(Path model, OrtSession.SessionOptions settings, Map<String, Integer> widths)
            throws OrtException {
        return GraphSession.of(of(GraphReader.read(model), widths), model, settings);
    }

    static Graph of(Graph graph, Map<String, Integer> widths) {
        GraphBuilder grams =
                GraphBuilder.from(GraphCut.to(graph, widths.keySet())).withoutOutputs();
        Map<Integer, Value> shapes = new HashMap<>();
        new TreeSet<>(widths.values())
                .forEach(width -> shapes.put(width, grams.integers("gram.rows." + width, -1, width)));
        widths.forEach((value, width) -> {
            Value shape = java.util.Objects.requireNonNull(shapes.get(width));
            Value rows = grams.op("Reshape", gram(value) + ".rows", grams.value(value), shape);
            grams.op("Gemm", gram(value), List.of(rows, rows), Map.of("transA", 1));
            grams.output(gram(value), ElementType.FLOAT, width, width);
        });
        return grams.build();
    }
}
