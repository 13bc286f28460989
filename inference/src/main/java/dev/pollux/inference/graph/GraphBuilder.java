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
 * Makes a {@link Graph}, operator by operator. An operator that gets values whose shapes do not fit is refused at once.
 * <em>Not thread-safe: one thread at a time.</em>
 */
public final class GraphBuilder {

    private final ModelProto header;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final Map<String, Weight> weights = new LinkedHashMap<>();
    private final Map<String, Value> values = new HashMap<>();
    private final List<Node> all = new ArrayList<>();
    /** Where nodes go: the graph, or the branch that is being written. */
    private List<Node> nodes = all;

    /** Begins an empty graph of opset 21 and {@code com.microsoft} 1, IR version 10. */
    public static GraphBuilder create() {
        ProtobufClasses.check(); // before a class is loaded that needs them
        return new GraphBuilder(Graph.OWN);
    }

    private GraphBuilder(ModelProto header) {
        this.header = header;
    }

    /** Goes on from a graph. */
    public static GraphBuilder from(Graph graph) {
        GraphBuilder builder = withoutNodes(graph);
        builder.all.addAll(graph.nodes());
        return builder;
    }

    static GraphBuilder withoutNodes(Graph graph) {
        GraphBuilder builder = new GraphBuilder(graph.header());
        builder.inputs.addAll(graph.inputs());
        builder.outputs.addAll(graph.outputs());
        graph.weights().forEach(weight -> builder.weights.put(weight.name(), weight));
        builder.values.putAll(graph.values());
        return builder;
    }

    /** Declares an input; a dimension is an {@code Integer} or, where a run decides it, the {@code String} that names it. */
    public Value input(String name, ElementType type, Object... dims) {
        return input(new Value(name, type, Shape.from(dims)));
    }

    /** Declares a value as an input. */
    public Value input(Value value) {
        inputs.add(value);
        return known(value);
    }

    /** Declares an output, which a node computes under this name. */
    public void output(String name, ElementType type, Object... dims) {
        outputs.add(new Value(name, type, Shape.from(dims)));
    }

    /** Declares a value as an output. */
    public void output(Value value) {
        outputs.add(value);
    }

    /** Takes back the outputs that were declared so far. */
    public GraphBuilder withoutOutputs() {
        outputs.clear();
        return this;
    }

    /** The value called {@code name}, with what is known of it. */
    public Value value(String name) {
        return name.isEmpty() ? Value.NONE : values.getOrDefault(name, Value.unknown(name));
    }

    /**
     * Says what shape a value has, where a run decides it and the operator does not tell.
     *
     * @return the value with this shape
     */
    public Value declared(Value value, Object... dims) {
        return known(new Value(value.name(), value.type(), Shape.from(dims)));
    }

    private Value known(Value value) {
        values.put(value.name(), value);
        return value;
    }

    /**
     * Adds a node.
     *
     * @param domain empty for a standard operator
     * @param in {@link Value#NONE} leaves an optional input out
     * @param out the names of the results; an empty one is left out
     * @param attributes an {@code Integer}, {@code Float}, {@code String} or list of {@code Integer} for each name; they are
     *     written in order of their names
     * @return the results, {@link Value#NONE} where one is left out
     * @throws ShapeMismatchException if the values do not fit the operator
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

    /** Adds a node as it is; nothing is known of its results unless they were known before. */
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

    /** Adds one of ONNX Runtime's own operators with one result. */
    public Value fused(String operator, String output, List<Value> in, Map<String, ?> attributes) {
        return node(operator, Graph.MICROSOFT, in, List.of(output), attributes).get(0);
    }

    /**
     * The result of one of two branches, under the name {@code output}. Weights that a branch adds belong to the whole graph;
     * values that it computes are its own.
     *
     * @param condition a value of one boolean
     * @param yes adds the nodes of the branch that runs if it is true, and gives their result
     * @param no likewise if it is false
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
                            .setTensorType(TypeProto.Tensor.newBuilder().setElemType(ElementType.FLOAT.code()))));
            attributes.put(attribute, graph.build());
            return result;
        } finally {
            nodes = before;
        }
    }

    /** Whether nodes go into a branch now, whose values the graph around it does not see. */
    public boolean inBranch() {
        return nodes != all;
    }

    /** A short list of 64-bit integers, (values), kept in the file of the graph. */
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

    /** The graph. */
    public Graph build() {
        return new Graph(header, inputs, outputs, all, weights, values);
    }
}
