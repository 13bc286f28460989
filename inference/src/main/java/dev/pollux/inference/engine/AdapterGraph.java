package dev.pollux.inference.engine;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.decoder.DecoderManifest.Projection;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A graph with room for a LoRA adapter at every projection: y = x·Wᵀ + (x·Aᵀ)·Bᵀ, with Aᵀ (columns, R) and Bᵀ (R, rows) as
 * inputs whose rank R may be 0. The weights stay in the file beside the graph.
 */
final class AdapterGraph {

    private final Map<String, Projection> projections = new HashMap<>();

    private AdapterGraph(List<Projection> projections) {
        projections.forEach(projection -> this.projections.put(projection.output(), projection));
    }

    /** The input that takes Aᵀ. */
    static String a(Projection projection) {
        return "adapter." + projection.output() + ".a";
    }

    /** The input that takes Bᵀ. */
    static String b(Projection projection) {
        return "adapter." + projection.output() + ".b";
    }

    /** The bytes of the graph in {@code model}, extended. */
    static byte[] of(Path model, List<Projection> projections) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(model))) {
            ModelProto.Builder proto = ModelProto.parseFrom(in).toBuilder();
            new AdapterGraph(projections).extend(proto.getGraphBuilder());
            return proto.build().toByteArray();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new MalformedFileException(model + " is no ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + model + ": " + e, e);
        }
    }

    private void extend(GraphProto.Builder graph) {
        List<NodeProto> nodes = graph.getNodeList();
        graph.clearNode();
        for (NodeProto node : nodes) {
            Projection projection = projections.get(node.getOutput(0));
            if (projection == null) {
                graph.addNode(node);
            } else {
                extend(graph, node, projection);
            }
        }
    }

    private static void extend(GraphProto.Builder graph, NodeProto node, Projection projection) {
        String y = projection.output();
        int rows = projection.rows().stream().mapToInt(Integer::intValue).sum();
        String rank = "R." + y;
        boolean lookup = projection.lookup();
        graph.addInput(matrix(a(projection), lookup ? rows : projection.columns(), rank));
        graph.addInput(matrix(b(projection), rank, lookup ? projection.columns() : rows));
        graph.addNode(node.toBuilder().setOutput(0, y + ".base"));
        if (lookup) {
            graph.addNode(op("Gather", y + ".low", a(projection), projection.input()));
        } else {
            graph.addNode(op("MatMul", y + ".low", projection.input(), a(projection)));
        }
        graph.addNode(op("MatMul", y + ".change", y + ".low", b(projection)));
        graph.addNode(op("Add", y, y + ".base", y + ".change"));
    }

    private static NodeProto op(String operator, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output + "/" + operator)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static ValueInfoProto matrix(String name, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            if (dim instanceof Integer size) {
                shape.addDimBuilder().setDimValue(size);
            } else {
                shape.addDimBuilder().setDimParam((String) dim);
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(TensorProto.DataType.FLOAT.getNumber())
                                .setShape(shape)))
                .build();
    }
}
