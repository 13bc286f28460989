package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Extracts the subgraph that computes given values. */
public final class GraphCut {

    private GraphCut() {}

    /**
     * The nodes, weights and inputs of {@code graph} that {@code outputs} depend on, with {@code outputs} as the graph's
     * outputs.
     *
     * @param outputs names of values of the graph
     */
    public static Graph to(Graph graph, Collection<String> outputs) {
        Set<String> needed = new HashSet<>(outputs);
        List<Node> kept = new ArrayList<>(); // backwards
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            if (node.outputs().stream().anyMatch(needed::contains)) {
                kept.add(node);
                needed.addAll(node.reads());
            }
        }
        Collections.reverse(kept);
        Map<String, Weight> weights = new LinkedHashMap<>();
        for (Weight weight : graph.weights()) {
            if (needed.contains(weight.name())) {
                weights.put(weight.name(), weight);
            }
        }
        List<Value> inputs = graph.inputs().stream()
                .filter(input -> needed.contains(input.name()))
                .toList();
        List<Value> results = outputs.stream().map(graph::value).toList();
        GraphProto.Builder declared = graph.header().getGraph().toBuilder().clearValueInfo();
        ModelProto header = graph.header().toBuilder().setGraph(declared).build();
        return new Graph(header, inputs, results, kept, weights, graph.values());
    }
}
