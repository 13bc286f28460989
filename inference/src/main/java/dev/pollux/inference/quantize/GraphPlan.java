package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphRewrite;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Form;
import dev.pollux.quantization.QuantizedLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The plan for a graph.
 *
 * @param plans what becomes of the weights that are quantized, in graph order
 * @param kept the weights that stay in float
 */
record GraphPlan(Graph graph, QuantizationRecipe recipe, List<MatrixPlan> plans, List<KeptWeight> kept) {

    GraphPlan {
        plans = List.copyOf(plans);
        kept = List.copyOf(kept);
    }

    List<QuantizedLayer> layers() {
        return plans.stream().map(MatrixPlan::layer).toList();
    }

    long bytesBefore() {
        return graph.weights().stream().mapToLong(Weight::bytes).sum();
    }

    long bytesAfter() {
        long change = plans.stream()
                .mapToLong(plan -> plan.bytesAfter() - plan.weight().bytes())
                .sum();
        return bytesBefore() + change;
    }

    /** Bytes of the weights that are read and quantized. */
    long bytesToRead() {
        return plans.stream().mapToLong(plan -> plan.weight().bytes()).sum();
    }

    /** What is slow on the processor. */
    List<String> notices() {
        List<String> notices = new ArrayList<>();
        boolean slow = plans.stream()
                .anyMatch(plan -> plan.method() != QuantizationMethod.FLOAT16
                        && plan.format().bits() == 2
                        && (plan.format().blockSize() == 16 || plan.format().blockSize() == 256));
        if (slow) {
            notices.add(
                    "ONNX Runtime has no fast kernel for 2 bits in blocks of 16 or 256: a step takes up to 300 times as"
                            + " long; use blocks of 32, 64 or 128");
        }
        if (!recipe.int8Activations() && plans.stream().anyMatch(plan -> plan.method() != QuantizationMethod.FLOAT16)) {
            notices.add("Without int8 activations a step takes two to five times as long; measure it with --measure");
        }
        if (recipe.form() == Form.QDQ && !layers().isEmpty()) {
            notices.add(
                    "QDQ: ONNX Runtime fuses the nodes when it loads the model, which takes more time and memory than"
                            + " the form OPERATORS");
        }
        return notices;
    }

    /**
     * The graph with the quantized weights.
     *
     * @param weights produce the codes
     * @param vectors take the place of weights of the same names, each after the codes of a matrix
     */
    Graph rewritten(Map<MatrixPlan, QuantizedWeight> weights, Map<MatrixPlan, List<Weight>> vectors) {
        GraphRewrite rewrite = GraphRewrite.of(graph)
                .without(plans.stream().map(plan -> plan.weight().name()).toList())
                .without(vectors.values().stream()
                        .flatMap(List::stream)
                        .map(Weight::name)
                        .toList());
        if (recipe.form() == Form.OPERATORS) {
            rewrite.requiring(Graph.MICROSOFT, 1);
        }
        for (MatrixPlan plan : plans) {
            QuantizedWeight weight = Objects.requireNonNull(weights.get(plan));
            if (plan.method() == QuantizationMethod.FLOAT16) {
                rewrite.first(to -> cast(plan, weight, to));
            } else if (recipe.form() == Form.QDQ) {
                rewrite.first(to -> dequantize(plan, weight, to));
                plan.uses()
                        .forEach(use -> rewrite.replace(
                                use.node().output(0),
                                (node, to) ->
                                        to.add(node.withInput(1, plan.weight().name()))));
            } else {
                rewrite.first(to -> weight.weights().forEach(to::weight));
                plan.uses().forEach(use -> replace(plan, use, weight, rewrite));
            }
            rewrite.first(to -> vectors.getOrDefault(plan, List.of()).forEach(to::weight));
            plan.uses().stream()
                    .filter(use -> !use.before().equals(use.node()))
                    .forEach(use -> rewrite.replace(use.before().output(0), (node, to) -> {}));
        }
        return rewrite.graph();
    }

    /** The result has the name of the weight, so that its readers stay as they are. */
    private static void cast(MatrixPlan plan, QuantizedWeight weight, GraphBuilder to) {
        Value half = to.weight(weight.codes());
        to.op("Cast", plan.weight().name(), List.of(half), Map.of("to", ElementType.FLOAT.code()));
    }

    private static void dequantize(MatrixPlan plan, QuantizedWeight weight, GraphBuilder to) {
        List<Value> inputs = new ArrayList<>();
        weight.weights().forEach(each -> inputs.add(to.weight(each)));
        to.op(
                "DequantizeLinear",
                plan.weight().name(),
                inputs,
                Map.of("axis", 0, "block_size", plan.format().blockSize()));
        to.declared(new Value(plan.weight().name(), plan.weight().type(), Shape.UNKNOWN), plan.columns(), plan.rows());
    }

    private void replace(MatrixPlan plan, MatrixUse use, QuantizedWeight weight, GraphRewrite rewrite) {
        rewrite.replace(use.node().output(0), (node, to) -> {
            switch (use.kind()) {
                case LOOKUP -> lookup(plan, weight, node.input(1), node.output(0), to);
                case TURNED_LOOKUP -> lookup(plan, weight, use.before().input(1), node.output(0), to);
                default -> multiply(plan, weight, node, to);
            }
        });
    }

    private void multiply(MatrixPlan plan, QuantizedWeight weight, Node node, GraphBuilder to) {
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("K", plan.columns());
        attributes.put("N", plan.rows());
        attributes.put("bits", plan.format().bits());
        attributes.put("block_size", plan.format().blockSize());
        attributes.put("accuracy_level", recipe.int8Activations() ? 4 : 0);
        List<Value> inputs = new ArrayList<>(List.of(to.value(node.input(0))));
        weight.weights().forEach(each -> inputs.add(each.value()));
        Value bias = node.operator().equals("Gemm") ? to.value(node.input(2)) : Value.NONE;
        boolean own = bias.isNone() || bias.shape().equals(Shape.of(plan.rows()));
        if (!bias.isNone() && own) {
            while (inputs.size() < 5) {
                inputs.add(Value.NONE);
            }
            inputs.add(bias);
        }
        String output = own ? node.output(0) : node.output(0) + ".product";
        Value product = to.fused("MatMulNBits", output, inputs, attributes);
        if (!own) {
            to.op("Add", node.output(0), product, bias);
        }
    }

    private static void lookup(MatrixPlan plan, QuantizedWeight weight, String ids, String output, GraphBuilder to) {
        Value codes = weight.codes().value();
        if (plan.isShared()) {
            String flat = output + ".codes";
            Value shape = to.integers(flat + ".shape", plan.rows(), plan.rowBytes());
            codes = to.op("Reshape", flat, codes, shape);
        }
        List<Value> inputs =
                new ArrayList<>(List.of(codes, to.value(ids), weight.scales().value()));
        weight.zeros().ifPresent(zeros -> inputs.add(zeros.value()));
        Map<String, Integer> attributes = Map.of(
                "bits",
                plan.format().bits(),
                "block_size",
                plan.format().blockSize(),
                "gather_axis",
                0,
                "quantize_axis",
                1);
        to.fused("GatherBlockQuantized", output, inputs, attributes);
    }
}
