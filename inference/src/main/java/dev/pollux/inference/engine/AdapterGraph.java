package dev.pollux.inference.engine;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.internal.graph.GraphEdit;
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

    /** A session of the graph in {@code model}, extended; the caller closes it. */
    static OrtSession session(Path model, OrtSession.SessionOptions settings, List<Projection> projections)
            throws OrtException {
        return GraphEdit.session(model, settings, new AdapterGraph(projections)::extend);
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
            graph.addNode(GraphEdit.op("Gather", y + ".low", a(projection), projection.input()));
        } else {
            graph.addNode(GraphEdit.op("MatMul", y + ".low", projection.input(), a(projection)));
        }
        graph.addNode(GraphEdit.op("MatMul", y + ".change", y + ".low", b(projection)));
        graph.addNode(GraphEdit.op("Add", y, y + ".base", y + ".change"));
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
