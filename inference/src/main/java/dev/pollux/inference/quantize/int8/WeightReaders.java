package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Which nodes read a value of a graph, and which weights are constants. <em>Immutable.</em> */
final class WeightReaders {

    private final Graph graph;
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> inBranches = new HashSet<>();
    private final Set<String> interfaceNames = new HashSet<>();

    WeightReaders(Graph graph) {
        this.graph = graph;
        for (Node node : graph.nodes()) {
            node.inputs()
                    .forEach(name -> readers.computeIfAbsent(name, key -> new ArrayList<>())
                            .add(node));
            node.branches().forEach(branch -> {
                branch.nodes().forEach(inner -> inBranches.addAll(inner.reads()));
                inBranches.addAll(branch.results());
            });
        }
        graph.inputs().forEach(input -> interfaceNames.add(input.name()));
        graph.outputs().forEach(output -> interfaceNames.add(output.name()));
    }

    /** The nodes that read a value, once for each input that is it. */
    List<Node> of(String value) {
        return readers.getOrDefault(value, List.of());
    }

    /** Whether a branch of an {@code If} or {@code Loop} reads a value. */
    boolean isInBranch(String value) {
        return inBranches.contains(value);
    }

    /** A weight of 32-bit floats that nothing but nodes of the graph itself reads, and that no run can replace. */
    Optional<Weight> constant(String name) {
        return graph.weight(name)
                .filter(weight -> weight.type() == ElementType.FLOAT)
                .filter(weight -> !interfaceNames.contains(name) && !inBranches.contains(name));
    }
}
