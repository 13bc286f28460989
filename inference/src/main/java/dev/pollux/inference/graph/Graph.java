package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An ONNX graph: inputs, outputs, nodes in topological order, and weights.
 *
 * <p>{@link GraphBuilder} builds a graph, {@link GraphReader} reads one, {@link GraphRewrite} and {@link GraphCut} derive
 * one from another, and {@link GraphWriter} writes one. A graph describes its weights; their bytes are produced when it is
 * written. <em>Immutable.</em>
 */
public final class Graph {

    /** The domain of ONNX Runtime's contrib operators. */
    public static final String MICROSOFT = "com.microsoft";

    /** Opset 21 with ONNX Runtime's operators, IR version 10. */
    static final ModelProto OWN = ModelProto.newBuilder()
            .setIrVersion(10)
            .setProducerName("pollux")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21))
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
            .setGraph(GraphProto.newBuilder().setName("decoder"))
            .build();

    private final ModelProto header; // the file's message without nodes and weights
    private final List<Value> inputs;
    private final List<Value> outputs;
    private final List<Node> nodes;
    private final Map<String, Weight> weights;
    private final Map<String, Value> values;

    Graph(
            ModelProto header,
            List<Value> inputs,
            List<Value> outputs,
            List<Node> nodes,
            Map<String, Weight> weights,
            Map<String, Value> values) {
        this.header = header;
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.nodes = List.copyOf(nodes);
        this.weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
        this.values = Map.copyOf(values);
    }

    ModelProto header() {
        return header;
    }

    /** The version of a domain's operators that the graph uses; the standard domain is empty. Empty if it uses none. */
    public OptionalLong opset(String domain) {
        return header.getOpsetImportList().stream()
                .filter(opset -> isSame(opset.getDomain(), domain))
                .mapToLong(OperatorSetIdProto::getVersion)
                .findFirst();
    }

    /** {@code ai.onnx} is another name of the standard domain. */
    private static boolean isSame(String one, String other) {
        return one.equals(other) || one.equals("ai.onnx") && other.isEmpty();
    }

    /** The inputs of a run. */
    public List<Value> inputs() {
        return inputs;
    }

    /** The outputs of a run. */
    public List<Value> outputs() {
        return outputs;
    }

    /** The nodes, each after those whose values it reads. */
    public List<Node> nodes() {
        return nodes;
    }

    /** The weights, in the order in which they are written. */
    public Collection<Weight> weights() {
        return weights.values();
    }

    /** The weight called {@code name}. */
    public Optional<Weight> weight(String name) {
        return Optional.ofNullable(weights.get(name));
    }

    /** The value called {@code name}, with its type and shape as far as known. */
    public Value value(String name) {
        return values.getOrDefault(name, Value.unknown(name));
    }

    /** The numbers of a short list of 64-bit integers that is stored in the graph; empty for any other value. */
    public Optional<long[]> integers(String name) {
        return weight(name)
                .flatMap(weight ->
                        weight.source() instanceof StoredTensor stored ? stored.integers() : Optional.empty());
    }

    Map<String, Value> values() {
        return values;
    }
}
