package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.int8.IntegerFormat.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** Dynamic quantization: weights in 8 bits, activations quantized in each run by their own range. <em>Confined to one thread.</em> */
final class DynamicInt8 {

    /*
     * MatMul(x, W) and Gemm(x, W, b) with a constant W, alpha = beta = 1 and x not transposed become, after ONNX Runtime's quantizer,
     *
     *   q, s, z = DynamicQuantizeLinear(x)                 once for all readers of x
     *   y = Cast(MatMulInteger(q, W8, z, z_W)) · (s · s_W) + b
     *
     * which ONNX Runtime fuses into one operator. Gather(T, i) with a constant table T becomes DequantizeLinear(Gather(T8, i)), where T8
     * is uint8 with one scale; a product that reads the rows takes the codes as they are. A Gemm's transposed W is stored turned.
     *
     * DynamicQuantizeLinear takes the range of the whole tensor, so one outlier in an activation coarsens all others. In an encoder the
     * inputs of the contracting matrix of an MLP lose most. By rows, a product with more inputs than outputs becomes
     *
     *   r = max |x_j| of each row, at least 1e-30
     *   y = r · (x / r)·W                                  with the product of integers as above
     *
     * so that a large token does not coarsen the others. It costs one pass over x, and is left out where x is small.
     */

    private static final String CODES = "_quantized";
    private static final String SCALE = "_scale";
    private static final String ZERO = "_zero_point";
    private static final float LEAST_RANGE = 1e-30f;

    /** ReduceMax has its axes as an input from this version of the operators. */
    private static final long AXES_AS_INPUT = 18;

    private final Graph graph;
    private final WeightForm form;
    private final WeightReaders readers;
    private final Predicate<Weight> kept;
    private final boolean byRows;
    private final IntegerGraph result;
    private final Map<String, Codes> coded = new LinkedHashMap<>(); // weights, by the name of their codes
    private final Map<String, Codes> activations = new HashMap<>();

    /** The names of codes, scale and zero point of a value. */
    private record Codes(String codes, String scale, String zero, Optional<IntegerWeight> weight) {}

    private DynamicInt8(Graph graph, WeightForm form, Predicate<Weight> kept, boolean byRows) {
        this.graph = graph;
        this.form = form;
        this.readers = new WeightReaders(graph);
        this.kept = kept;
        this.byRows = byRows;
        this.result = new IntegerGraph(graph);
    }

    /**
     * Quantizes a graph as ONNX Runtime's quantizer does.
     *
     * @param kept weights that must stay in float
     */
    static Quantized quantize(Graph graph, WeightForm form, Predicate<Weight> kept) {
        return new DynamicInt8(graph, form, kept, false).quantized();
    }

    /** The same, but rows of inputs of products with more inputs than outputs have ranges of their own. */
    static Quantized quantizeByRows(Graph graph, WeightForm form, Predicate<Weight> kept) {
        return new DynamicInt8(graph, form, kept, true).quantized();
    }

    private Quantized quantized() {
        for (Node node : graph.nodes()) {
            switch (node.operator()) {
                case "MatMul" -> matMul(node);
                case "Gemm" -> gemm(node);
                case "Gather" -> gather(node);
                default -> {}
            }
        }
        return new Quantized(
                coded.isEmpty() ? graph : result.graph(),
                coded.values().stream()
                        .flatMap(codes -> codes.weight().stream())
                        .toList());
    }

    private Optional<Weight> constant(Node node, int input) {
        return node.domain().isEmpty()
                ? readers.constant(node.input(input))
                        .filter(weight -> weight.shape().rank() >= 2 && !kept.test(weight))
                : Optional.empty();
    }

    private void matMul(Node node) {
        Optional<Weight> weight = constant(node, 1);
        if (weight.isPresent() && graph.weight(node.input(0)).isEmpty()) {
            result.replace(node, product(node, weight.get(), false, node.output(0)));
        }
    }

    private void gemm(Node node) {
        boolean plain = node.number("alpha", 1) == 1 && node.number("beta", 1) == 1 && node.integer("transA", 0) == 0;
        Optional<Weight> weight = constant(node, 1).filter(w -> w.shape().rank() == 2);
        if (!plain || weight.isEmpty() || graph.weight(node.input(0)).isPresent()) {
            return;
        }
        String bias = node.input(2);
        List<Node> nodes = new ArrayList<>(product(
                node,
                weight.get(),
                node.integer("transB", 0) != 0,
                bias.isEmpty() ? node.output(0) : node.output(0) + "_MatMul"));
        if (!bias.isEmpty()) {
            nodes.add(node("Add", List.of(node.output(0) + "_MatMul", bias), node.output(0), Map.of()));
        }
        result.replace(node, nodes);
    }

    private void gather(Node node) {
        Optional<Weight> weight = constant(node, 0);
        if (weight.isEmpty()) {
            return;
        }
        IntegerFormat table = new IntegerFormat(Type.UINT8, false, false);
        String name = weight.get().name();
        String stored = isTable(name) ? name : name + "_table";
        Codes codes = coded.computeIfAbsent(
                stored + CODES, key -> add(stored, IntegerWeight.of(weight.get(), table, OptionalInt.empty()), false));
        String output = node.output(0);
        Node rows = node.withInput(0, codes.codes()).withOutput(0, output + CODES);
        activations.put(output, new Codes(output + CODES, codes.scale(), codes.zero(), Optional.empty()));
        List<Node> nodes = new ArrayList<>(List.of(rows));
        if (isReadAsFloat(output)) {
            nodes.add(node("DequantizeLinear", List.of(output + CODES, codes.scale(), codes.zero()), output, Map.of()));
        }
        result.replace(node, nodes);
    }

    private boolean isTable(String name) {
        return readers.of(name).stream().allMatch(reader -> reader.operator().equals("Gather"));
    }

    /** Whether a reader of rows does not take codes. */
    private boolean isReadAsFloat(String rows) {
        boolean isOutput =
                graph.outputs().stream().anyMatch(output -> output.name().equals(rows));
        return isOutput
                || readers.isInBranch(rows)
                || readers.of(rows).stream()
                        .anyMatch(reader -> !reader.operator().equals("MatMul")
                                || !reader.input(0).equals(rows)
                                || constant(reader, 1).isEmpty());
    }

    /** The codes of a factor (K, N) or, turned, (N, K). */
    private Codes matrix(Weight weight, boolean turned) {
        boolean channels = form.perChannel() && weight.shape().rank() == 2;
        IntegerFormat format = new IntegerFormat(form.type(), form.type() == Type.INT8, form.reduced());
        OptionalInt axis = channels ? OptionalInt.of(turned ? 0 : 1) : OptionalInt.empty();
        boolean both = readers.of(weight.name()).stream().anyMatch(reader -> isTurned(reader) != turned);
        String name = turned && both ? weight.name() + "_transposed" : weight.name();
        return coded.computeIfAbsent(name + CODES, key -> add(name, IntegerWeight.of(weight, format, axis), turned));
    }

    private static boolean isTurned(Node reader) {
        return reader.operator().equals("Gemm") && reader.integer("transB", 0) != 0;
    }

    private Codes add(String name, IntegerWeight weight, boolean turned) {
        result.first(to -> {
            to.weight(turned ? weight.transposedCodeWeight(name + CODES) : weight.codeWeight(name + CODES));
            to.weight(weight.scaleWeight(name + SCALE));
            to.weight(weight.zeroWeight(name + ZERO));
        });
        return new Codes(name + CODES, name + SCALE, name + ZERO, Optional.of(weight));
    }

    /** The nodes of x · W. */
    private List<Node> product(Node node, Weight weight, boolean turned, String output) {
        Codes matrix = matrix(weight, turned);
        String input = node.input(0);
        int inputs = turned ? 1 : 0;
        boolean contracting = weight.shape().rank() == 2
                && weight.shape().size(inputs) > weight.shape().size(1 - inputs);
        if (!byRows || !contracting || activations.containsKey(input)) {
            return integers(input, matrix, output);
        }
        String ranges = input + "_row_ranges";
        String even = input + "_by_rows";
        List<Node> nodes = new ArrayList<>();
        if (!activations.containsKey(even)) {
            nodes.addAll(ranges(input, ranges));
            nodes.add(node("Div", List.of(input, ranges), even, Map.of()));
        }
        nodes.addAll(integers(even, matrix, output + "_by_rows"));
        nodes.add(node("Mul", List.of(output + "_by_rows", ranges), output, Map.of()));
        return nodes;
    }

    /** max |x_j| of each row. */
    private List<Node> ranges(String input, String output) {
        String magnitudes = input + "_magnitudes";
        String least = input + "_least_range";
        String most = input + "_most";
        result.first(to -> to.weight(Constants.floats(least, () -> new float[] {LEAST_RANGE}, 1, false)));
        Node reduced;
        if (graph.opset("").orElse(AXES_AS_INPUT) < AXES_AS_INPUT) {
            reduced = node("ReduceMax", List.of(magnitudes), most, Map.of("axes", List.of(-1), "keepdims", 1));
        } else {
            String axes = input + "_axes";
            result.first(to -> to.integers(axes, -1));
            reduced = node("ReduceMax", List.of(magnitudes, axes), most, Map.of("keepdims", 1));
        }
        return List.of(
                node("Abs", List.of(input), magnitudes, Map.of()),
                reduced,
                node("Max", List.of(most, least), output, Map.of()));
    }

    private List<Node> integers(String input, Codes weight, String output) {
        List<Node> nodes = new ArrayList<>();
        Codes codes = activations.get(input);
        if (codes == null) {
            codes = new Codes(input + CODES, input + SCALE, input + ZERO, Optional.empty());
            activations.put(input, codes);
            nodes.add(Node.of(
                    "DynamicQuantizeLinear",
                    "",
                    List.of(input),
                    List.of(codes.codes(), codes.scale(), codes.zero()),
                    Map.of()));
        }
        String integers = output + "_output_quantized";
        String scales = output + "_quant_scales_mul";
        nodes.add(node("Mul", List.of(codes.scale(), weight.scale()), scales, Map.of()));
        nodes.add(node(
                "MatMulInteger",
                List.of(codes.codes(), weight.codes(), codes.zero(), weight.zero()),
                integers,
                Map.of()));
        nodes.add(node("Cast", List.of(integers), integers + "_cast_output", Map.of("to", ElementType.FLOAT.code())));
        nodes.add(node("Mul", List.of(integers + "_cast_output", scales), output, Map.of()));
        return nodes;
    }

    private static Node node(String operator, List<String> inputs, String output, Map<String, ?> attributes) {
        return Node.of(operator, "", inputs, List.of(output), attributes);
    }
}
