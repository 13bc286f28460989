package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.int8.IntegerFormat.Type;
import dev.pollux.inference.quantize.int8.StaticMarks.Activation;
import dev.pollux.inference.quantize.int8.StaticMarks.Bias;
import dev.pollux.inference.quantize.int8.StaticMarks.Constant;
import dev.pollux.inference.quantize.int8.StaticMarks.Mark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Static quantization: weights in 8 bits, activations rounded to grids that were measured beforehand. <em>Confined to one
 * thread.</em>
 */
final class StaticInt8 {

    /*
     * The graph is written in QDQ form: after a marked value x follows DequantizeLinear(QuantizeLinear(x)), and a marked constant is
     * stored as codes before a DequantizeLinear. ONNX Runtime fuses an operator between them into an operator on integers.
     */

    private static final String DEQUANTIZED = "_DequantizeLinear_Output";
    private static final ValueRange SHARE = new ValueRange(0, 1);

    private final Graph graph;
    private final WeightForm weights;
    private final ActivationForm activations;
    private final StaticMarks marks;
    private final Set<String> outputs = new HashSet<>();
    private final Map<String, IntegerWeight> constants = new LinkedHashMap<>();
    private final Map<String, LinearScale> grids = new HashMap<>();

    private StaticInt8(Graph graph, WeightForm weights, ActivationForm activations, StaticMarks marks) {
        this.graph = graph;
        this.weights = weights;
        this.activations = activations;
        this.marks = marks;
        graph.outputs().forEach(output -> outputs.add(output.name()));
    }

    /**
     * Decides which values are rounded.
     *
     * @param scope the nodes whose values are rounded
     * @param kept weights that must stay in float
     */
    static StaticInt8 plan(
            Graph graph, WeightForm weights, ActivationForm activations, StaticScope scope, Predicate<Weight> kept) {
        StaticMarks marks = new StaticMarks(graph, weights.perChannel(), !activations.symmetric(), scope, kept);
        return new StaticInt8(graph, weights, activations, marks);
    }

    /** The values whose ranges {@link #quantize} needs. */
    Set<String> measured() {
        return marks.measured();
    }

    /** The constants that become codes, not read yet. */
    List<IntegerWeight> constants() {
        return marks.marks().values().stream()
                .filter(Constant.class::isInstance)
                .map(mark -> coded((Constant) mark))
                .toList();
    }

    private IntegerWeight coded(Constant constant) {
        Type type = constant.weight() ? weights.type() : activations.type();
        boolean symmetric =
                constant.axis().isPresent() || (constant.weight() ? type == Type.INT8 : activations.symmetric());
        IntegerFormat format = new IntegerFormat(type, symmetric, weights.reduced());
        return IntegerWeight.of(constant.source(), format, constant.axis());
    }

    /**
     * The quantized graph.
     *
     * @param ranges of {@link #measured}
     */
    Quantized quantize(Map<String, ValueRange> ranges) {
        marks.marks().forEach((name, mark) -> grid(name, mark, ranges));
        marks.biases().values().forEach(this::enlarge);
        IntegerGraph result = new IntegerGraph(graph);
        constants.forEach((name, weight) -> constant(result, name, weight));
        grids.forEach((name, grid) -> result.first(to -> {
            to.weight(Constants.floats(scale(name), () -> new float[] {grid.scale()}, 1, false));
            to.weight(
                    Constants.bytes(zero(name), activations.type().element(), () -> new int[] {grid.zero()}, 1, false));
        }));
        graph.inputs().stream()
                .filter(input -> marks.marks().containsKey(input.name()))
                .forEach(input ->
                        result.first(to -> pair(input.name(), input.name()).forEach(to::add)));
        Map<Node, String> biases = biases(result);
        graph.nodes().forEach(node -> result.replace(node, rewritten(node, biases.getOrDefault(node, ""))));
        return new Quantized(result.graph(), List.copyOf(constants.values()));
    }

    private void grid(String name, Mark mark, Map<String, ValueRange> ranges) {
        if (mark instanceof Constant constant) {
            constants.put(name, coded(constant));
        } else if (mark instanceof Activation) {
            String measured = marks.rangeOf(name);
            ValueRange range = marks.shares().contains(measured) ? SHARE : ranges.get(measured);
            if (range == null) {
                throw new IllegalArgumentException("ranges must have " + measured + " but has " + ranges.keySet());
            }
            IntegerFormat format = new IntegerFormat(activations.type(), activations.symmetric(), false);
            grids.put(name, format.fit(range.low(), range.high()));
        }
    }

    private float inputScale(String input) {
        String provider = marks.provider(input);
        IntegerWeight constant = constants.get(provider);
        return constant != null
                ? constant.scales()[0]
                : Objects.requireNonNull(grids.get(provider)).scale();
    }

    private float[] weightScales(String weight) {
        IntegerWeight constant = constants.get(weight);
        return constant != null ? constant.scales() : new float[] {inputScale(weight)};
    }

    /** Makes scales of a weight larger where the bias would not fit into int32. */
    private void enlarge(Bias bias) {
        IntegerWeight weight = constants.get(bias.weight());
        if (weight != null
                && weight.format().type() == Type.INT8
                && Arrays.stream(weight.zeros()).allMatch(zero -> zero == 0)) {
            constants.put(bias.weight(), BiasCodes.fitting(bias.source(), weight, inputScale(bias.input())));
        }
    }

    /** Adds the codes of all biases; returns the name of the value that replaces the bias of a node. */
    private Map<Node, String> biases(IntegerGraph result) {
        Map<Node, String> names = new HashMap<>();
        Map<String, Integer> copies = new HashMap<>();
        marks.biases().forEach((node, bias) -> {
            int copy = copies.merge(bias.source().name(), 1, Integer::sum);
            String name = bias.source().name() + (copy == 1 ? "" : "." + copy);
            BiasCodes codes = BiasCodes.of(bias.source(), inputScale(bias.input()), weightScales(bias.weight()));
            String stored = name + "_quantized";
            result.first(to -> {
                to.weight(codes.codeWeight(stored));
                to.weight(codes.scaleWeight(scale(stored)));
                to.weight(codes.zeroWeight(zero(stored)));
                to.add(dequantize(stored, stored, name + DEQUANTIZED, codes.isPerChannel() ? 0 : -1));
            });
            names.put(node, name + DEQUANTIZED);
        });
        return names;
    }

    private static void constant(IntegerGraph result, String name, IntegerWeight weight) {
        String codes = name + "_quantized";
        result.first(to -> {
            to.weight(weight.codeWeight(codes));
            to.weight(weight.scaleWeight(scale(name)));
            to.weight(weight.zeroWeight(zero(name)));
            to.add(dequantize(codes, name, name + DEQUANTIZED, weight.axis().orElse(-1)));
        });
    }

    private List<Node> rewritten(Node node, String bias) {
        if (marks.isDropped(node)) {
            return List.of();
        }
        Node changed = node;
        for (int i = 0; i < node.inputs().size(); i++) {
            String input = node.input(i);
            changed = changed.withInput(i, i == 2 && !bias.isEmpty() ? bias : read(input));
        }
        List<Node> after = new ArrayList<>();
        for (int i = 0; i < node.outputs().size(); i++) {
            String value = marks.result(node.output(i));
            boolean marked = !value.isEmpty() && marks.marks().containsKey(value);
            String result = marked && outputs.contains(value) ? value + "_QuantizeLinear_Input" : value;
            changed = changed.withOutput(i, result);
            if (marked) {
                after.addAll(pair(value, result));
            }
        }
        List<Node> nodes = new ArrayList<>(List.of(changed));
        nodes.addAll(after);
        return nodes;
    }

    /** The name under which nodes read a value. */
    private String read(String value) {
        return marks.marks().containsKey(value) && !outputs.contains(value) ? value + DEQUANTIZED : value;
    }

    /** Rounds {@code from} to the grid of {@code value}. */
    private List<Node> pair(String value, String from) {
        String provider = marks.provider(value);
        String codes = value + "_QuantizeLinear_Output";
        Node quantize =
                Node.of("QuantizeLinear", "", List.of(from, scale(provider), zero(provider)), List.of(codes), Map.of());
        String result = outputs.contains(value) ? value : value + DEQUANTIZED;
        return List.of(quantize, dequantize(codes, provider, result, -1));
    }

    private static Node dequantize(String codes, String grid, String result, int axis) {
        Map<String, Integer> attributes = axis < 0 ? Map.of() : Map.of("axis", axis);
        return Node.of("DequantizeLinear", "", List.of(codes, scale(grid), zero(grid)), List.of(result), attributes);
    }

    private static String scale(String name) {
        return name + "_scale";
    }

    private static String zero(String name) {
        return name + "_zero_point";
    }
}
