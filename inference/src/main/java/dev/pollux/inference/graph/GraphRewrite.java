package dev.pollux.inference.graph;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Replaces nodes of a graph. <em>Not thread-safe: one thread at a time.</em>
 *
 * <pre>{@code
 * Graph doubled = GraphRewrite.of(graph)
 *         .replace("y", (node, to) -> {
 *             to.add(node.withOutput(0, "y.single"));
 *             to.op("Add", "y", to.value("y.single"), to.value("y.single"));
 *         })
 *         .graph();
 * }</pre>
 */
public final class GraphRewrite {

    private final Graph graph;
    private final Map<String, BiConsumer<Node, GraphBuilder>> replacements = new HashMap<>();

    private GraphRewrite(Graph graph) {
        this.graph = graph;
    }

    /** Starts a rewrite of {@code graph}, which is not changed. */
    public static GraphRewrite of(Graph graph) {
        return new GraphRewrite(graph);
    }

    /**
     * Replaces the node whose first output is {@code output}.
     *
     * @param replacement receives the node and adds its replacement, which must compute a value of the same name; it may
     *     declare inputs and outputs
     */
    public GraphRewrite replace(String output, BiConsumer<Node, GraphBuilder> replacement) {
        replacements.put(output, replacement);
        return this;
    }

    /** The graph with all replacements; a replacement of a node that does not exist is ignored. */
    public Graph graph() {
        GraphBuilder builder = GraphBuilder.withoutNodes(graph);
        for (Node node : graph.nodes()) {
            BiConsumer<Node, GraphBuilder> replacement = replacements.get(node.output(0));
            if (replacement == null) {
                builder.add(node);
            } else {
                replacement.accept(node, builder);
            }
        }
        return builder.build();
    }
}
