package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * An operator of a graph with the names of its inputs and outputs. A node read from a file keeps all of its attributes and
 * metadata. <em>Immutable.</em>
 */
public final class Node {

    private final NodeProto proto;

    private Node(NodeProto proto) {
        this.proto = proto;
    }

    static Node of(NodeProto proto) {
        return new Node(proto);
    }

    /**
     * A node.
     *
     * @param domain empty for a standard operator
     * @param inputs the names of inputs; empty for an omitted optional one
     * @param outputs the names of outputs; empty for an omitted one, the first not empty
     * @param attributes an {@code Integer}, {@code Float}, {@code String} or list of {@code Integer} for each name
     */
    public static Node of(
            String operator, String domain, List<String> inputs, List<String> outputs, Map<String, ?> attributes) {
        NodeProto.Builder node = NodeProto.newBuilder()
                .setOpType(operator)
                .setDomain(domain)
                .setName(outputs.get(0) + "/" + operator)
                .addAllInput(inputs)
                .addAllOutput(outputs);
        // sorted, since callers give them in maps whose order differs from one JVM to the next
        new TreeMap<String, Object>(attributes).forEach((name, value) -> node.addAttribute(attribute(name, value)));
        return new Node(node.build());
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (value instanceof Integer number) {
            return attribute
                    .setType(AttributeProto.AttributeType.INT)
                    .setI(number)
                    .build();
        }
        if (value instanceof Float number) {
            return attribute
                    .setType(AttributeProto.AttributeType.FLOAT)
                    .setF(number)
                    .build();
        }
        if (value instanceof GraphProto branch) {
            return attribute
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(branch)
                    .build();
        }
        if (value instanceof List<?> numbers) {
            numbers.forEach(number -> attribute.addInts((Integer) number));
            return attribute.setType(AttributeProto.AttributeType.INTS).build();
        }
        return attribute
                .setType(AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8((String) value))
                .build();
    }

    NodeProto proto() {
        return proto;
    }

    /** The operator's name. */
    public String operator() {
        return proto.getOpType();
    }

    /** The operator's domain; empty for a standard one. */
    public String domain() {
        return proto.getDomain();
    }

    /** The node's own name; it may be empty. */
    public String name() {
        return proto.getName();
    }

    /** The names of its inputs; empty for an omitted optional one. */
    public List<String> inputs() {
        return List.copyOf(proto.getInputList());
    }

    /** The names of its outputs; empty for an omitted one. */
    public List<String> outputs() {
        return List.copyOf(proto.getOutputList());
    }

    /** An input's name; empty if the node has no such input. */
    public String input(int index) {
        return index < proto.getInputCount() ? proto.getInput(index) : "";
    }

    /** An output's name; empty if the node has no such output. */
    public String output(int index) {
        return index < proto.getOutputCount() ? proto.getOutput(index) : "";
    }

    /** An attribute that is a whole number. */
    public long integer(String name, long otherwise) {
        return find(name).map(AttributeProto::getI).orElse(otherwise);
    }

    /** An attribute that is a float. */
    public float number(String name, float otherwise) {
        return find(name).map(AttributeProto::getF).orElse(otherwise);
    }

    /** An attribute that is a text. */
    public String text(String name, String otherwise) {
        return find(name).map(found -> found.getS().toStringUtf8()).orElse(otherwise);
    }

    /** An attribute that is a list of whole numbers; empty where it is absent. */
    public List<Long> integers(String name) {
        return find(name).map(AttributeProto::getIntsList).orElse(List.of());
    }

    private Optional<AttributeProto> find(String name) {
        return proto.getAttributeList().stream()
                .filter(attribute -> attribute.getName().equals(name))
                .findFirst();
    }

    /**
     * A subgraph of a node, such as a branch of {@code If}.
     *
     * @param nodes its nodes, in order; they may read values of the enclosing graph
     * @param results the names of its results
     * @param weights its own weights
     */
    public record Branch(List<Node> nodes, List<String> results, List<Value> weights) {
        public Branch {
            nodes = List.copyOf(nodes);
            results = List.copyOf(results);
            weights = List.copyOf(weights);
        }
    }

    /** The subgraphs of the node, in the order of its attributes. */
    public List<Branch> branches() {
        List<Branch> branches = new ArrayList<>();
        for (AttributeProto attribute : proto.getAttributeList()) {
            if (attribute.hasG()) {
                branches.add(branch(attribute.getG()));
            }
            attribute.getGraphsList().forEach(graph -> branches.add(branch(graph)));
        }
        return branches;
    }

    private static Branch branch(GraphProto graph) {
        return new Branch(
                graph.getNodeList().stream().map(Node::new).toList(),
                graph.getOutputList().stream().map(ValueInfoProto::getName).toList(),
                graph.getInitializerList().stream()
                        .map(tensor -> new Value(
                                tensor.getName(),
                                ElementType.of(tensor.getDataType()).orElse(ElementType.OTHER),
                                Shape.of(tensor.getDimsList().stream()
                                        .mapToLong(Long::longValue)
                                        .toArray())))
                        .toList());
    }

    /** A copy in which {@code rewrite} has replaced the nodes of each subgraph. */
    Node withBranches(UnaryOperator<List<Node>> rewrite) {
        NodeProto.Builder changed = proto.toBuilder();
        for (AttributeProto.Builder attribute : changed.getAttributeBuilderList()) {
            if (attribute.hasG()) {
                rewrite(attribute.getGBuilder(), rewrite);
            }
            attribute.getGraphsBuilderList().forEach(graph -> rewrite(graph, rewrite));
        }
        return new Node(changed.build());
    }

    private static void rewrite(GraphProto.Builder graph, UnaryOperator<List<Node>> rewrite) {
        List<Node> nodes =
                rewrite.apply(graph.getNodeList().stream().map(Node::new).toList());
        graph.clearNode();
        nodes.forEach(node -> graph.addNode(node.proto));
    }

    /** The names of all values read by the node and its branches, including values local to a branch. */
    public Set<String> reads() {
        Set<String> names = new LinkedHashSet<>(proto.getInputList());
        for (Branch branch : branches()) {
            branch.nodes().forEach(node -> names.addAll(node.reads()));
            names.addAll(branch.results());
        }
        names.remove("");
        return names;
    }

    /** A copy with another name for an input. */
    public Node withInput(int index, String name) {
        return new Node(proto.toBuilder().setInput(index, name).build());
    }

    /** A copy with another name for an output. */
    public Node withOutput(int index, String name) {
        return new Node(proto.toBuilder().setOutput(index, name).build());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Node node && proto.equals(node.proto);
    }

    @Override
    public int hashCode() {
        return proto.hashCode();
    }

    /** For example {@code MatMul(x, w) → y}. */
    @Override
    public String toString() {
        return operator() + "(" + String.join(", ", proto.getInputList()) + ") → "
                + String.join(", ", proto.getOutputList());
    }
}
