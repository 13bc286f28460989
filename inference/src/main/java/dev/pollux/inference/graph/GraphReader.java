package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.OnnxFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the {@link Graph} of an ONNX model. The model file is read into memory; external data stays in its files. */
public final class GraphReader {

    private final Path file;

    private GraphReader(Path file) {
        this.file = file;
    }

    /**
     * Reads the graph of {@code file}.
     *
     * @throws MalformedFileException if it is not an ONNX model, two weights have one name, or the shape or place of a weight
     *     is not valid
     * @throws UnsupportedModelException if it is larger than 2 GiB
     * @throws StorageException if it cannot be read
     */
    public static Graph read(Path file) {
        return new GraphReader(file).graph(OnnxFile.of(file).model());
    }

    private Graph graph(ModelProto model) {
        GraphProto graph = model.getGraph();
        ModelProto header = model.toBuilder()
                .setGraph(graph.toBuilder().clearNode().clearInitializer())
                .build();
        Map<String, Weight> weights = new LinkedHashMap<>();
        for (TensorProto tensor : graph.getInitializerList()) {
            if (weights.put(tensor.getName(), weight(tensor)) != null) {
                throw new MalformedFileException(file + " has two initializers " + tensor.getName());
            }
        }
        List<Value> inputs = values(graph.getInputList());
        List<Node> nodes = graph.getNodeList().stream().map(Node::of).toList();
        Map<String, Value> known = new HashMap<>();
        inputs.forEach(value -> known.put(value.name(), value));
        weights.values().forEach(weight -> known.put(weight.name(), weight.value()));
        nodes.forEach(node -> infer(node, known, weights));
        List<Value> outputs = values(graph.getOutputList());
        values(graph.getValueInfoList()).forEach(value -> known.put(value.name(), value));
        outputs.forEach(value -> known.putIfAbsent(value.name(), value));
        return new Graph(header, inputs, outputs, nodes, weights, known);
    }

    /** Infers the results of a node. They are unknown if the operator is unknown or its inputs are incompatible. */
    private static void infer(Node node, Map<String, Value> known, Map<String, Weight> weights) {
        List<Value> inputs = node.inputs().stream()
                .map(name -> name.isEmpty() ? Value.NONE : known.getOrDefault(name, Value.unknown(name)))
                .toList();
        try {
            new Operation(node, inputs, value -> integers(weights.get(value.name())))
                    .results()
                    .forEach(result -> known.put(result.name(), result));
        } catch (ShapeMismatchException e) {
            node.outputs().forEach(name -> known.put(name, Value.unknown(name)));
        }
    }

    private static Optional<long[]> integers(@org.jspecify.annotations.Nullable Weight weight) {
        return weight != null && weight.source() instanceof StoredTensor stored ? stored.integers() : Optional.empty();
    }

    private static List<Value> values(List<ValueInfoProto> infos) {
        return infos.stream().map(GraphReader::value).toList();
    }

    static Value value(ValueInfoProto info) {
        TypeProto.Tensor tensor = info.getType().getTensorType();
        ElementType type = ElementType.of(tensor.getElemType()).orElse(ElementType.OTHER);
        if (!tensor.hasShape()) {
            return new Value(info.getName(), type, Shape.UNKNOWN);
        }
        List<Shape.Dim> dims = new ArrayList<>();
        for (TensorShapeProto.Dimension dim : tensor.getShape().getDimList()) {
            dims.add(
                    dim.hasDimValue() && dim.getDimValue() >= 0
                            ? Shape.Dim.of(dim.getDimValue())
                            : Shape.Dim.named(dim.getDimParam()));
        }
        return new Value(info.getName(), type, Shape.of(dims));
    }

    private Weight weight(TensorProto tensor) {
        OnnxFile onnx = OnnxFile.of(file);
        long elements = onnx.elements(tensor);
        ElementType type = ElementType.of(tensor.getDataType()).orElse(ElementType.OTHER);
        Shape shape = Shape.of(
                tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
        Optional<StoredTensor.Place> place = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? Optional.of(place(onnx.place(tensor, type.bytes(elements))))
                : Optional.empty();
        return new Weight(tensor.getName(), type, shape, new StoredTensor(tensor, place));
    }

    private StoredTensor.Place place(OnnxFile.Place place) {
        return new StoredTensor.Place(file.resolveSibling(place.location()), place.offset(), place.length());
    }
}
