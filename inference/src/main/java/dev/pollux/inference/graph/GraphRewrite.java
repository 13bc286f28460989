package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Replaces nodes and weights of a graph. <em>Not thread-safe: one thread at a time.</em>
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
    private final List<Consumer<GraphBuilder>> beginnings = new ArrayList<>();
    private final Set<String> removed = new HashSet<>();
    private final Map<String, Long> domains = new TreeMap<>();

    private GraphRewrite(Graph graph) {
        this.graph = graph;
    }

    /** Starts a rewrite of {@code graph}, which is not changed. */
    public static GraphRewrite of(Graph graph) {
        return new GraphRewrite(graph);
    }

    /**
     * Replaces the node whose first output is {@code output}, in the graph or in a branch.
     *
     * @param replacement receives the node and adds its replacement, which must compute a value of the same name unless nothing
     *     reads that value any more; it may declare inputs, outputs and weights
     */
    public GraphRewrite replace(String output, BiConsumer<Node, GraphBuilder> replacement) {
        replacements.put(output, replacement);
        return this;
    }

    /** Adds weights and nodes before all nodes of the graph. */
    public GraphRewrite first(Consumer<GraphBuilder> beginning) {
        beginnings.add(beginning);
        return this;
    }

    /** Removes weights, which no node may read after the rewrite. */
    public GraphRewrite without(Collection<String> weights) {
        removed.addAll(weights);
        return this;
    }

    /** Declares a domain of operators with its version, unless the graph declares the domain. */
    public GraphRewrite requiring(String domain, long version) {
        domains.put(domain, version);
        return this;
    }

    /** The graph with all replacements; a replacement of a node that does not exist is ignored. */
    public Graph graph() {
        GraphBuilder builder = GraphBuilder.withoutNodes(graph, header());
        removed.forEach(builder::removeWeight);
        beginnings.forEach(beginning -> beginning.accept(builder));
        graph.nodes().forEach(node -> rewrite(node, builder));
        return builder.build();
    }

    private ModelProto header() {
        ModelProto.Builder header = graph.header().toBuilder();
        domains.forEach((domain, version) -> {
            if (graph.opset(domain).isEmpty()) {
                header.addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain(domain)
                        .setVersion(version)
                        .build());
            }
        });
        return header.build();
    }

    private void rewrite(Node node, GraphBuilder builder) {
        BiConsumer<Node, GraphBuilder> replacement = replacements.get(node.output(0));
        if (replacement != null) {
            replacement.accept(node, builder);
        } else if (node.branches().isEmpty()) {
            builder.add(node);
        } else {
            builder.add(node.withBranches(nodes -> builder.apart(() -> nodes.forEach(each -> rewrite(each, builder)))));
        }
    }
}
