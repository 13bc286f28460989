package dev.pollux.finetune.merge;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.OnnxModel;
import dev.pollux.finetune.internal.model.OnnxModel.Initializer;
import dev.pollux.merging.MergePlan;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorSource;
import dev.pollux.tensor.TypeNames;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Checks that ONNX models can be merged: their graphs must be equal except for the values of initializers. Initializers with
 * equal values in all models, such as constants and cosine tables, are not weights and are copied.
 */
final class OnnxGraphs {

    private static final int WINDOW = 1 << 20;

    private OnnxGraphs() {}

    /** Reports incompatibilities between the models of a plan, and removes all non-weights from their tensors. */
    static void reconcile(MergePlan plan, List<InputModel> models, Problems problems) {
        List<OnnxModel> graphs =
                models.stream().flatMap(model -> model.onnx().stream()).toList();
        if (graphs.isEmpty()) {
            return;
        }
        if (graphs.size() < models.size()) {
            problems.fatal("the plan mixes ONNX models and others; all must be ONNX models of one graph, or none");
            return;
        }
        int before = problems.fatals();
        checkPlan(plan, graphs.get(0), problems);
        for (int i = 1; i < graphs.size(); i++) {
            String names = models.get(0).label() + " and " + models.get(i).label();
            difference(graphs.get(0), graphs.get(i))
                    .ifPresent(what -> problems.fatal("the graphs of " + names + " differ: " + what
                            + "; only models of equal graph can be merged"));
        }
        if (problems.fatals() > before || graphs.size() == 1) {
            return;
        }
        for (Map.Entry<String, Initializer> entry : graphs.get(0).initializers().entrySet()) {
            boolean same = graphs.stream()
                    .skip(1)
                    .map(graph -> Objects.requireNonNull(graph.initializers().get(entry.getKey())))
                    .allMatch(other -> equal(entry.getValue(), other));
            if (same) {
                models.forEach(model -> model.tensors().remove(entry.getKey()));
            } else if (!entry.getValue().isWeight()) {
                problems.fatal(
                        "",
                        entry.getKey(),
                        " differs between the models and is not a float tensor; merge models before they are quantized");
            }
        }
    }

    private static void checkPlan(MergePlan plan, OnnxModel model, Problems problems) {
        if (plan.tokenizer().isPresent()) {
            problems.fatal(
                    "a tokenizer section changes embeddings, which a graph does not allow; merge before the export");
        }
        if (plan.allSlices()
                .flatMap(slice -> slice.inputs().stream())
                .anyMatch(input -> input.layers().isPresent())) {
            problems.fatal("slices change the order of layers, which a graph does not allow; give models");
        }
        Optional<DType> wanted = plan.outDtype().or(plan::dtype).flatMap(TypeNames::parse);
        if (wanted.isPresent() && model.weights().values().stream().anyMatch(weight -> weight.type() != wanted.get())) {
            problems.fatal("dtype " + TypeNames.of(wanted.get())
                    + " is not that of the graph, which cannot change; leave dtype and out_dtype out");
        }
    }

    private static Optional<String> difference(OnnxModel a, OnnxModel b) {
        for (Map.Entry<String, Initializer> entry : a.initializers().entrySet()) {
            TensorProto one = entry.getValue().proto();
            Initializer other = b.initializers().get(entry.getKey());
            if (other == null) {
                return Optional.of("only the first has an initializer " + entry.getKey());
            }
            if (!other.shape().equals(one.getDimsList()) || other.proto().getDataType() != one.getDataType()) {
                return Optional.of("initializer " + entry.getKey() + " is " + one.getDimsList() + " of type "
                        + one.getDataType() + " and " + other.shape() + " of type "
                        + other.proto().getDataType());
            }
        }
        GraphProto first = a.proto().getGraph();
        GraphProto second = b.proto().getGraph();
        if (first.getNodeCount() != second.getNodeCount()) {
            return Optional.of(first.getNodeCount() + " and " + second.getNodeCount() + " nodes");
        }
        for (int i = 0; i < first.getNodeCount(); i++) {
            if (!first.getNode(i).equals(second.getNode(i))) {
                return Optional.of("node " + i + " is " + first.getNode(i).getOpType() + " "
                        + first.getNode(i).getName() + " and "
                        + second.getNode(i).getOpType() + " "
                        + second.getNode(i).getName());
            }
        }
        return bare(a.proto()).equals(bare(b.proto()))
                ? Optional.empty()
                : Optional.of("their inputs, outputs, versions or initializers");
    }

    /** A model without the values of its initializers and without its provenance. */
    private static ModelProto bare(ModelProto proto) {
        List<TensorProto> initializers = new ArrayList<>();
        for (TensorProto tensor : proto.getGraph().getInitializerList()) {
            initializers.add(TensorProto.newBuilder()
                    .setName(tensor.getName())
                    .setDataType(tensor.getDataType())
                    .addAllDims(tensor.getDimsList())
                    .build());
        }
        initializers.sort(Comparator.comparing(TensorProto::getName));
        GraphProto graph = GraphProto.newBuilder(proto.getGraph())
                .clearInitializer()
                .clearNode()
                .clearDocString()
                .clearName()
                .addAllInitializer(initializers)
                .build();
        return ModelProto.newBuilder(proto)
                .clearProducerName()
                .clearProducerVersion()
                .clearDomain()
                .clearModelVersion()
                .clearDocString()
                .clearMetadataProps()
                .setGraph(graph)
                .build();
    }

    private static boolean equal(Initializer a, Initializer b) {
        if (a.isWeight()) {
            return equalFloats(a, b);
        }
        if (a.isExternal() || b.isExternal()) {
            return equalBytes(a, b);
        }
        return TensorProto.newBuilder(a.proto())
                .clearDocString()
                .build()
                .equals(TensorProto.newBuilder(b.proto()).clearDocString().build());
    }

    private static boolean equalFloats(Initializer a, Initializer b) {
        TensorSource x = a.as("");
        TensorSource y = b.as("");
        float[] p = new float[(int) Math.min(WINDOW, a.elements())];
        float[] q = new float[p.length];
        for (long first = 0; first < a.elements(); first += p.length) {
            int count = (int) Math.min(p.length, a.elements() - first);
            x.read(first, count, p, 0);
            y.read(first, count, q, 0);
            if (Arrays.mismatch(p, 0, count, q, 0, count) >= 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean equalBytes(Initializer a, Initializer b) {
        if (a.length() != b.length()) {
            return false;
        }
        for (long first = 0; first < a.length(); first += WINDOW) {
            int count = (int) Math.min(WINDOW, a.length() - first);
            if (!a.bytes(first, count).equals(b.bytes(first, count))) {
                return false;
            }
        }
        return true;
    }
}
