package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphRewrite;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Nodes that replace others of a graph, weights that are added, and weights that nothing reads any more and that are dropped.
 * <em>Confined to one thread.</em>
 */
final class IntegerGraph {

    private final Graph graph;
    private final List<Consumer<GraphBuilder>> beginnings = new ArrayList<>();
    private final Map<String, List<Node>> replacements = new HashMap<>();

    IntegerGraph(Graph graph) {
        this.graph = graph;
    }

    /** Adds weights or nodes before the nodes of the graph. */
    void first(Consumer<GraphBuilder> beginning) {
        beginnings.add(beginning);
    }

    /** Replaces a node by others, in order. */
    void replace(Node node, List<Node> others) {
        replacements.put(node.output(0), List.copyOf(others));
    }

    /** The new graph with the inputs and outputs of the old one. */
    Graph graph() {
        GraphRewrite rewrite = GraphRewrite.of(graph);
        beginnings.forEach(rewrite::first);
        replacements.forEach((output, nodes) -> rewrite.replace(output, (node, to) -> nodes.forEach(to::add)));
        return withInputs(GraphCut.between(rewrite.graph(), List.of(), graph.outputs()));
    }

    /** Keeps inputs that nothing reads, since callers may give them. */
    private Graph withInputs(Graph cut) {
        Map<String, Value> missing = new LinkedHashMap<>();
        graph.inputs().forEach(input -> missing.put(input.name(), input));
        Set<String> present = new HashSet<>();
        cut.inputs().forEach(input -> present.add(input.name()));
        missing.keySet().removeAll(present);
        if (missing.isEmpty()) {
            return cut;
        }
        GraphBuilder all = GraphBuilder.from(cut);
        missing.values().forEach(all::input);
        return all.build();
    }
}
