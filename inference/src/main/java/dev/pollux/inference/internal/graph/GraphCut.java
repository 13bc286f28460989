package dev.pollux.inference.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A graph cut down to what some of its values x need, whose outputs are their inner products G = xᵀx. */
public final class GraphCut {

    private final Map<String, Integer> values; // x → its last dimension

    private GraphCut(Map<String, Integer> values) {
        this.values = values;
    }

    /** The output of x's inner products, (width, width). */
    public static String gram(String value) {
        return value + ".gram";
    }

    /** A session of the graph in {@code model}, cut; the caller closes it. */
    public static OrtSession session(Path model, OrtSession.SessionOptions settings, Map<String, Integer> values)
            throws OrtException {
        return GraphEdit.session(model, settings, new GraphCut(values)::cut);
    }

    private void cut(GraphProto.Builder graph) {
        Set<String> needed = new HashSet<>(values.keySet());
        List<NodeProto> kept = new ArrayList<>(); // backwards
        for (int i = graph.getNodeCount() - 1; i >= 0; i--) {
            NodeProto node = graph.getNode(i);
            if (node.getOutputList().stream().anyMatch(needed::contains)) {
                kept.add(node);
                read(node, needed);
                needed.remove(""); // what is left out has no name
            }
        }
        Collections.reverse(kept);
        List<TensorProto> weights = graph.getInitializerList().stream()
                .filter(weight -> needed.contains(weight.getName()))
                .toList();
        List<ValueInfoProto> inputs = graph.getInputList().stream()
                .filter(input -> needed.contains(input.getName()))
                .toList();
        graph.clearNode().clearInitializer().clearInput().clearOutput().clearValueInfo();
        graph.addAllNode(kept).addAllInitializer(weights).addAllInput(inputs);
        new TreeSet<>(values.values()).forEach(width -> graph.addInitializer(rows(width)));
        values.forEach((value, width) -> multiply(graph, value, width));
    }

    /** Adds all values that a node reads, also from within its branches. */
    private static void read(NodeProto node, Set<String> into) {
        into.addAll(node.getInputList());
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.hasG()) {
                attribute.getG().getNodeList().forEach(inner -> read(inner, into));
                attribute.getG().getOutputList().forEach(output -> into.add(output.getName()));
            }
        }
    }

    private static String rowsName(int width) {
        return "gram.rows." + width;
    }

    /** The shape (−1, width). */
    private static TensorProto rows(int width) {
        return TensorProto.newBuilder()
                .setName(rowsName(width))
                .setDataType(TensorProto.DataType.INT64.getNumber())
                .addDims(2)
                .addInt64Data(-1)
                .addInt64Data(width)
                .build();
    }

    private static void multiply(GraphProto.Builder graph, String value, int width) {
        String x = gram(value) + ".rows";
        graph.addNode(GraphEdit.op("Reshape", x, value, rowsName(width)));
        graph.addNode(GraphEdit.op("Gemm", gram(value), x, x).toBuilder()
                .addAttribute(AttributeProto.newBuilder()
                        .setName("transA")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(1)));
        graph.addOutput(ValueInfoProto.newBuilder()
                .setName(gram(value))
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT.getNumber()))));
    }
}
