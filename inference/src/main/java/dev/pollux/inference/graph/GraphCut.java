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
import java.util.stream.Stream;

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
        return between(graph, List.of(), outputs.stream().map(graph::value).toList());
    }

    /**
     * The nodes, weights and inputs of {@code graph} that compute {@code outputs} from {@code inputs}.
     *
     * @param inputs values or weights of the graph; those that are read become inputs of the result, after the inputs of the
     *     graph
     * @param outputs values of the graph, none of which is among {@code inputs}; their types and shapes are declared as given
     */
    public static Graph between(Graph graph, Collection<Value> inputs, Collection<Value> outputs) {
        Set<String> given = new HashSet<>();
        inputs.forEach(input -> given.add(input.name()));
        Set<String> needed = new HashSet<>();
        outputs.forEach(output -> needed.add(output.name()));
        List<Node> kept = new ArrayList<>(); // backwards
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            if (node.outputs().stream().anyMatch(name -> needed.contains(name) && !given.contains(name))) {
                kept.add(node);
                needed.addAll(node.reads());
            }
        }
        Collections.reverse(kept);
        Map<String, Weight> weights = new LinkedHashMap<>();
        for (Weight weight : graph.weights()) {
            if (needed.contains(weight.name()) && !given.contains(weight.name())) {
                weights.put(weight.name(), weight);
            }
        }
        List<Value> read = Stream.concat(
                        graph.inputs().stream().filter(input -> !given.contains(input.name())), inputs.stream())
                .filter(input -> needed.contains(input.name()))
                .toList();
        GraphProto.Builder declared = graph.header().getGraph().toBuilder().clearValueInfo();
        ModelProto header = graph.header().toBuilder().setGraph(declared).build();
        return new Graph(header, read, List.copyOf(outputs), kept, weights, graph.values());
    }
}
