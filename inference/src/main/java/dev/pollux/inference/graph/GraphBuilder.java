package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Builds a {@link Graph} operator by operator. An operator whose input shapes are incompatible is refused at once. <em>Not
 * thread-safe: one thread at a time.</em>
 */
public final class GraphBuilder {

    private final ModelProto header;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final Map<String, Weight> weights = new LinkedHashMap<>();
    private final Map<String, Value> values = new HashMap<>();
    private final List<Node> all = new ArrayList<>();
    /** The target of new nodes: the graph, or the branch that is being written. */
    private List<Node> nodes = all;

    /** Starts an empty graph with opset 21, {@code com.microsoft} 1 and IR version 10. */
    public static GraphBuilder create() {
        ProtobufClasses.check(); // before a class is loaded that needs them
        return new GraphBuilder(Graph.OWN);
    }

    private GraphBuilder(ModelProto header) {
        this.header = header;
    }

    /** Starts from an existing graph. */
    public static GraphBuilder from(Graph graph) {
        GraphBuilder builder = withoutNodes(graph);
        builder.all.addAll(graph.nodes());
        return builder;
    }

    static GraphBuilder withoutNodes(Graph graph) {
        return withoutNodes(graph, graph.header());
    }

    /** A builder with the inputs, outputs, weights and values of a graph, and another header. */
    static GraphBuilder withoutNodes(Graph graph, ModelProto header) {
        GraphBuilder builder = new GraphBuilder(header);
        builder.inputs.addAll(graph.inputs());
        builder.outputs.addAll(graph.outputs());
        graph.weights().forEach(weight -> builder.weights.put(weight.name(), weight));
        builder.values.putAll(graph.values());
        return builder;
    }

    /**
     * Declares an input. A dimension is an {@code Integer} or, if it is set at run time, a {@code String} with its name.
     */
    public Value input(String name, ElementType type, Object... dims) {
        return input(new Value(name, type, Shape.from(dims)));
    }

    /** Declares a value as an input. */
    public Value input(Value value) {
        inputs.add(value);
        return known(value);
    }

    /** Declares an output; a node must compute a value of this name. */
    public void output(String name, ElementType type, Object... dims) {
        outputs.add(new Value(name, type, Shape.from(dims)));
    }

    /** Declares a value as an output. */
    public void output(Value value) {
        outputs.add(value);
    }

    /** Removes all outputs declared so far. */
    public GraphBuilder withoutOutputs() {
        outputs.clear();
        return this;
    }

    /** The value called {@code name}, with its type and shape as far as known. */
    public Value value(String name) {
        return name.isEmpty() ? Value.NONE : values.getOrDefault(name, Value.unknown(name));
    }

    /**
     * Declares the shape of a value that cannot be inferred from its operator.
     *
     * @return the value with this shape
     */
    public Value declared(Value value, Object... dims) {
        return known(new Value(value.name(), value.type(), Shape.from(dims)));
    }

    /**
     * Declares the type and shape of a value that cannot be inferred from its operator.
     *
     * @return {@code value}
     */
    public Value declared(Value value) {
        return known(value);
    }

    private Value known(Value value) {
        values.put(value.name(), value);
        return value;
    }

    /**
     * Adds a node.
     *
     * @param domain the operator's domain; empty for a standard operator
     * @param in the inputs; {@link Value#NONE} omits an optional input
     * @param out the names of the results; an empty name omits a result
     * @param attributes an {@code Integer}, {@code Float}, {@code String} or list of {@code Integer} for each name; they are
     *     written in order of their names
     * @return the results, {@link Value#NONE} for an omitted one
     * @throws ShapeMismatchException if the inputs do not fit the operator
     */
    public List<Value> node(
            String operator, String domain, List<Value> in, List<String> out, Map<String, ?> attributes) {
        Node node = Node.of(operator, domain, in.stream().map(Value::name).toList(), out, attributes);
        List<Value> results = new Operation(node, in, this::constant).results();
        nodes.add(node);
        results.forEach(result -> {
            if (!result.isNone()) {
                known(result);
            }
        });
        return results;
    }

    /** Adds a node unchanged. The types and shapes of its results are unknown unless they were known before. */
    public void add(Node node) {
        nodes.add(node);
    }

    private Optional<long[]> constant(Value value) {
        Weight weight = weights.get(value.name());
        return weight != null && weight.source() instanceof StoredTensor stored ? stored.integers() : Optional.empty();
    }

    /** Adds a standard operator with one result, named {@code output}. */
    public Value op(String operator, String output, List<Value> in, Map<String, ?> attributes) {
        return node(operator, "", in, List.of(output), attributes).get(0);
    }

    /** Adds a standard operator without attributes. */
    public Value op(String operator, String output, Value... in) {
        return op(operator, output, List.of(in), Map.of());
    }

    /** Adds a contrib operator of ONNX Runtime with one result. */
    public Value fused(String operator, String output, List<Value> in, Map<String, ?> attributes) {
        return node(operator, Graph.MICROSOFT, in, List.of(output), attributes).get(0);
    }

    /**
     * Adds an {@code If} with the result {@code output}. Weights added by a branch belong to the whole graph; values
     * computed in a branch are visible only there.
     *
     * @param condition a single boolean
     * @param yes adds the nodes of the branch for true and returns their result
     * @param no adds the nodes of the branch for false and returns their result
     * @throws ShapeMismatchException if the results of the branches have different shapes
     */
    public Value choice(String output, Value condition, Supplier<Value> yes, Supplier<Value> no) {
        Map<String, Object> attributes = new HashMap<>();
        Value one = branch(output + ".then", yes, "then_branch", attributes);
        Value other = branch(output + ".else", no, "else_branch", attributes);
        if (!one.shape().fits(other.shape())) {
            throw new ShapeMismatchException("If " + output + ": " + one.shape() + " and " + other.shape()
                    + " do not fit: both branches must give one shape");
        }
        nodes.add(Node.of("If", "", List.of(condition.name()), List.of(output), attributes));
        return known(new Value(output, other.type(), other.shape()));
    }

    private Value branch(String name, Supplier<Value> content, String attribute, Map<String, Object> attributes) {
        List<Node> before = nodes;
        nodes = new ArrayList<>();
        try {
            Value result = content.get();
            GraphProto.Builder graph = GraphProto.newBuilder().setName(name);
            nodes.forEach(node -> graph.addNode(node.proto()));
            graph.addOutput(ValueInfoProto.newBuilder()
                    .setName(result.name())
                    .setType(TypeProto.newBuilder()
                            .setTensorType(TypeProto.Tensor.newBuilder()
                                    .setElemType(result.type().code()))));
            attributes.put(attribute, graph.build());
            return result;
        } finally {
            nodes = before;
        }
    }

    /** The nodes that {@code content} adds, which do not become nodes of the graph. */
    List<Node> apart(Runnable content) {
        List<Node> before = nodes;
        List<Node> added = new ArrayList<>();
        nodes = added;
        try {
            content.run();
            return added;
        } finally {
            nodes = before;
        }
    }

    /** Removes a weight; does nothing if there is none of this name. */
    void removeWeight(String name) {
        weights.remove(name);
    }

    /** Whether new nodes go into a branch, whose values are not visible outside it. */
    @SuppressWarnings("ReferenceEquality") // two lists may have equal nodes
    public boolean inBranch() {
        return nodes != all;
    }

    /** A short list of 64-bit integers, (values), stored in the graph's file. */
    public Value integers(String name, long... values) {
        return weight(
                new Weight(name, ElementType.INT64, Shape.of(values.length), StoredTensor.integers(name, values)));
    }

    /** 32-bit floats. */
    public Value floats(String name, Supplier<float[]> values, long... shape) {
        return weight(new Weight(name, ElementType.FLOAT, Shape.of(shape), WeightSource.floats(values)));
    }

    /** Adds a weight. */
    public Value weight(Weight weight) {
        if (weights.putIfAbsent(weight.name(), weight) != null) {
            throw new IllegalArgumentException("the graph has a weight " + weight.name() + " already");
        }
        return known(weight.value());
    }

    /** The number of weights so far. */
    public int weightCount() {
        return weights.size();
    }

    /** The number of nodes so far, without those of a branch that is being written. */
    public int nodeCount() {
        return all.size();
    }

    /** The graph. */
    public Graph build() {
        return new Graph(header, inputs, outputs, all, weights, values);
    }
}
