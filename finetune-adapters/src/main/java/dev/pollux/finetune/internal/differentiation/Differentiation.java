package dev.pollux.finetune.internal.differentiation;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Adds gradients to a graph. */
public final class Differentiation {

    /*
     * Reverse mode (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3). For a scalar L whose gradient is known for
     * some values (the seeds), the nodes are visited backwards. A node's rule turns the gradients of its results into those of
     * its inputs; a value that several nodes read gets the sum.
     *
     * Invariants:
     *   - A gradient has the shape of its value. Rules may report a gradient in the broadcast shape; BackwardGraph sums it.
     *   - Only what lies between the wanted values and the seeds gets operators: "needed" is computed forwards first. In the
     *     backward pass of LoRA no gradient of a frozen matrix is written.
     *   - Gradients are ordinary operators of the inference runtime, in the same graph. What they read of the forward pass is
     *     computed again with them or is given as an input: GraphCut decides, not the rules.
     */

    private Differentiation() {}

    /**
     * The gradients of L with respect to {@code wanted}.
     *
     * @param seeds dL/dy by the name of y: a value of the graph, or else a new input of the result's graph
     * @param wanted names of values of the graph: inputs, weights or results of nodes
     * @param detached names of values whose gradient is taken to be 0
     * @throws UnsupportedModelException if a node on the way has no rule, or its rule does not cover it
     */
    public static Gradients of(Graph graph, Map<String, Value> seeds, Set<String> wanted, Set<String> detached) {
        GraphBuilder builder = GraphBuilder.from(graph).withoutOutputs();
        Set<String> needed = needed(graph, wanted, detached);
        BackwardGraph backward = new BackwardGraph(graph, builder, needed);
        seeds.forEach((name, seed) -> {
            boolean isComputed = graph.value(seed.name()).shape().isRanked();
            backward.accumulate(graph.value(name), isComputed ? graph.value(seed.name()) : builder.input(seed));
        });
        List<Node> nodes = graph.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            boolean reached = node.outputs().stream()
                    .anyMatch(output ->
                            needed.contains(output) && backward.gradient(output).isPresent());
            if (reached) {
                Rules.of(node).orElseThrow(() -> without(node)).apply(new BackwardNode(backward, node));
            }
        }
        Map<String, Value> gradients = new HashMap<>();
        wanted.forEach(name -> backward.gradient(name).ifPresent(gradient -> gradients.put(name, gradient)));
        return new Gradients(builder.build(), gradients);
    }

    /** The names of the values that depend on a wanted one by a way that is not detached. */
    private static Set<String> needed(Graph graph, Set<String> wanted, Set<String> detached) {
        Set<String> needed = new HashSet<>(wanted);
        for (Node node : graph.nodes()) {
            if (node.reads().stream().anyMatch(needed::contains) && !NoGradient.isOf(node)) {
                node.outputs().stream()
                        .filter(output -> !output.isEmpty() && !detached.contains(output))
                        .forEach(needed::add);
            }
        }
        return needed;
    }

    private static UnsupportedModelException without(Node node) {
        return new UnsupportedModelException("The operator " + node.operator() + " of " + node
                + " has no rule for its gradient; rules exist for " + String.join(", ", Rules.operators())
                + "; train a model without it, or choose targets above it");
    }
}
