package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The nodes that read each value of a graph, those in branches included. <em>Immutable after construction.</em> */
final class ValueReaders {

    /** Operators that change a product's result value by value, or its shape. */
    private static final Set<String> THROUGH = Set.of(
            "Identity",
            "Cast",
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Tanh",
            "Reshape",
            "Squeeze",
            "Unsqueeze",
            "Sigmoid",
            "Softmax");

    private static final int STEPS = 8;

    private final Map<String, List<Reader>> readers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();
    private final Set<String> results = new HashSet<>();
    private final List<BranchWeight> branchWeights = new ArrayList<>();

    /**
     * A node that reads a value as its input {@code input}.
     *
     * @param inBranch whether the node is in a branch
     */
    record Reader(Node node, int input, boolean inBranch) {}

    /** A weight that belongs to a branch of a node. */
    record BranchWeight(Node node, Value weight) {}

    ValueReaders(Graph graph) {
        graph.outputs().forEach(output -> outputs.add(output.name()));
        graph.nodes().forEach(node -> add(node, false));
    }

    private void add(Node node, boolean inBranch) {
        for (int i = 0; i < node.inputs().size(); i++) {
            if (!node.input(i).isEmpty()) {
                readers.computeIfAbsent(node.input(i), name -> new ArrayList<>())
                        .add(new Reader(node, i, inBranch));
            }
        }
        for (Node.Branch branch : node.branches()) {
            branch.nodes().forEach(inner -> add(inner, true));
            results.addAll(branch.results());
            branch.weights().forEach(weight -> branchWeights.add(new BranchWeight(node, weight)));
        }
    }

    List<Reader> of(String value) {
        return readers.getOrDefault(value, List.of());
    }

    /** Whether a value is an output of the graph or a result of a branch. */
    boolean isResult(String value) {
        return outputs.contains(value) || results.contains(value);
    }

    List<BranchWeight> branchWeights() {
        return branchWeights;
    }

    /** Whether a value becomes an output of the graph without another product. */
    boolean reachesOutput(String value) {
        return reaches(value, "");
    }

    /** Whether a value becomes the input of an operator without another product. */
    boolean reaches(String value, String operator) {
        Deque<String> open = new ArrayDeque<>(List.of(value));
        Set<String> seen = new HashSet<>();
        for (int step = 0; step < STEPS && !open.isEmpty(); step++) {
            Deque<String> next = new ArrayDeque<>();
            for (String at : open) {
                if (operator.isEmpty() && outputs.contains(at)) {
                    return true;
                }
                for (Reader reader : of(at)) {
                    String op = reader.node().operator();
                    if (op.equals(operator)) {
                        return true;
                    }
                    String result = reader.node().output(0);
                    if (THROUGH.contains(op) && seen.add(result)) {
                        next.add(result);
                    }
                }
            }
            open = next;
        }
        return false;
    }
}
