package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
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
        return new GraphReader(file).graph(parse(file));
    }

    private static ModelProto parse(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            if (Files.size(file) > Integer.MAX_VALUE - 1024) {
                throw new UnsupportedModelException(
                        file + " is larger than 2 GiB; save it with its weights as external data");
            }
            CodedInputStream coded = CodedInputStream.newInstance(in, 1 << 20);
            coded.setSizeLimit(Integer.MAX_VALUE);
            return ModelProto.parseFrom(coded);
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFileException(file + " is not an ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
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
        long elements = 1;
        for (long size : tensor.getDimsList()) {
            if (size < 0 || size > 0 && elements > Long.MAX_VALUE / 16 / size) {
                throw new MalformedFileException(
                        file + ": the shape " + tensor.getDimsList() + " of " + tensor.getName() + " is none");
            }
            elements *= size;
        }
        ElementType type = ElementType.of(tensor.getDataType()).orElse(ElementType.OTHER);
        Shape shape = Shape.of(
                tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
        Optional<StoredTensor.Place> place = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? Optional.of(place(tensor, elements * type.bytes()))
                : Optional.empty();
        return new Weight(tensor.getName(), type, shape, new StoredTensor(tensor, place));
    }

    private StoredTensor.Place place(TensorProto tensor, long due) {
        Map<String, String> data = new HashMap<>();
        for (StringStringEntryProto entry : tensor.getExternalDataList()) {
            data.put(entry.getKey(), entry.getValue());
        }
        String location = data.getOrDefault("location", "");
        if (!location.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
            throw new MalformedFileException(file + ": the location '" + location + "' of " + tensor.getName()
                    + " must be a plain file name without folders");
        }
        long offset = number(tensor, data.getOrDefault("offset", "0"));
        long length = number(tensor, data.getOrDefault("length", Long.toString(due)));
        return new StoredTensor.Place(file.resolveSibling(location), offset, length);
    }

    private long number(TensorProto tensor, String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw new MalformedFileException(
                    file + ": the place of " + tensor.getName() + " must be numbers but has '" + text + "'");
        }
        return Long.parseLong(text);
    }
}
