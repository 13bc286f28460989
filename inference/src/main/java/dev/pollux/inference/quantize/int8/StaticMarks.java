package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/** Which values of a graph static quantization rounds to 8 bits. <em>Confined to one thread.</em> */
final class StaticMarks {

    /*
     * The rules are those of ONNX Runtime's QDQ quantizer. Nodes are visited in order, and an operator marks values:
     *
     *   MatMul                                  inputs and output; a constant factor is a weight with channels along axis 1. In a scope
     *                                           of weights only if there is such a factor, and without the output
     *   Gemm, Conv, ConvTranspose               input, output, weight; a constant bias becomes int32 with scale s_x · s_W
     *   LayerNormalization and its kin          the same, with the scale as weight
     *   Relu, Clip                              only if their input is marked; where codes have a zero point, the clamp is part of the
     *                                           rounding, and the node is dropped
     *   Gather                                  a constant table, rounded like an activation; its rows have the table's grid
     *   Reshape, Transpose, …                   only if their input is marked; the output has the input's grid
     *   others (Add, Mul, Softmax, …)           inputs and outputs; constants are rounded like activations
     *
     * A value can be marked if it is known to be a 32-bit float.
     */

    /** Operators that move values and keep their grid. */
    private static final Set<String> MOVES = Set.of(
            "Reshape",
            "Transpose",
            "Squeeze",
            "Unsqueeze",
            "Flatten",
            "AveragePool",
            "MaxPool",
            "Slice",
            "TopK",
            "GatherElements");

    private static final Set<String> NORMS =
            Set.of("LayerNormalization", "InstanceNormalization", "BatchNormalization");

    /** How a value is rounded. */
    sealed interface Mark {}

    /** An activation with its own range. */
    record Activation() implements Mark {}

    /** An activation with the grid of another value. */
    record Shared(String provider) implements Mark {}

    /** A constant; {@code weight} if it has the form of weights rather than of activations. */
    record Constant(Weight source, boolean weight, OptionalInt axis) implements Mark {}

    /** A bias of a node, which becomes int32 with the scale of the product of input and weight. */
    record Bias(Weight source, String input, String weight) {}

    private final Graph graph;
    private final boolean perChannel;
    private final boolean dropsClamps;
    private final StaticScope scope;
    private final WeightReaders readers;
    private final Predicate<Weight> kept;
    private final Map<String, Mark> marks = new LinkedHashMap<>();
    private final Map<Node, Bias> biases = new LinkedHashMap<>();
    private final Set<Node> dropped = new LinkedHashSet<>();
    private final Map<String, String> renamed = new HashMap<>();

    /**
     * Marks the values of a graph.
     *
     * @param dropsClamps whether codes have zero points, so that Relu and Clip can be dropped
     * @param scope the nodes to quantize
     * @param kept weights that must stay in float
     */
    StaticMarks(Graph graph, boolean perChannel, boolean dropsClamps, StaticScope scope, Predicate<Weight> kept) {
        this.graph = graph;
        this.perChannel = perChannel;
        this.dropsClamps = dropsClamps;
        this.scope = scope;
        this.readers = new WeightReaders(graph);
        this.kept = kept;
        graph.nodes().stream().filter(scope::contains).forEach(this::mark);
        dropUnprovided();
    }

    /** The marked values, in the order of marking. */
    Map<String, Mark> marks() {
        return marks;
    }

    /** The bias of each node that has one in int32. */
    Map<Node, Bias> biases() {
        return biases;
    }

    /** Whether a node is a clamp that rounding does. */
    boolean isDropped(Node node) {
        return dropped.contains(node);
    }

    /** The name of a result, which is that of the clamp after it if that is dropped. */
    String result(String value) {
        return renamed.getOrDefault(value, value);
    }

    private void mark(Node node) {
        String operator = node.operator();
        if (scope.weightsOnly() && constant(node.input(1)).isEmpty()) {
            return;
        }
        if (operator.equals("MatMul")) {
            markFactor(node.input(0), 1);
            markFactor(node.input(1), 1);
            output(node);
        } else if (operator.equals("Gemm") || operator.equals("Conv") || operator.equals("ConvTranspose")) {
            activation(node.input(0));
            output(node);
            boolean turned = operator.equals("Gemm") ? node.integer("transB", 0) != 0 : operator.equals("Conv");
            markFactor(node.input(1), turned ? 0 : 1);
            bias(node);
        } else if (NORMS.contains(operator)) {
            activation(node.input(0));
            markFactor(node.input(1), 1);
            bias(node);
            node.outputs().forEach(this::activation);
        } else if (operator.equals("Relu") || operator.equals("Clip")) {
            clamp(node);
        } else if (operator.equals("Gather") || MOVES.contains(operator)) {
            move(node);
        } else if (operator.equals("Split")) {
            activation(node.input(0));
            node.outputs().forEach(output -> shared(output, node.input(0)));
        } else {
            node.inputs().forEach(this::activation);
            node.outputs().forEach(this::activation);
        }
    }

    private void output(Node node) {
        if (!scope.weightsOnly()) {
            activation(node.output(0));
        }
    }

    private Optional<Weight> constant(String name) {
        return readers.constant(name).filter(weight -> !kept.test(weight));
    }

    private boolean canBeMarked(String name) {
        return graph.weight(name).isPresent()
                ? constant(name).isPresent()
                : graph.value(name).type() == ElementType.FLOAT && !readers.isInBranch(name);
    }

    /** A factor of a product; a constant is a weight with channels along {@code axis}, if it has that axis. */
    private void markFactor(String name, int axis) {
        Optional<Weight> weight = constant(name);
        if (weight.isPresent()) {
            boolean channels = perChannel && axis < weight.get().shape().rank();
            OptionalInt of = channels ? OptionalInt.of(axis) : OptionalInt.empty();
            if (channels) {
                marks.put(name, new Constant(weight.get(), true, of));
            } else {
                marks.putIfAbsent(name, new Constant(weight.get(), true, of));
            }
        } else if (graph.weight(name).isEmpty()) {
            activation(name);
        }
    }

    private void activation(String name) {
        if (canBeMarked(name)) {
            Optional<Weight> weight = constant(name);
            marks.putIfAbsent(
                    name,
                    weight.isPresent() ? new Constant(weight.get(), false, OptionalInt.empty()) : new Activation());
        }
    }

    private void shared(String name, String provider) {
        if (canBeMarked(name) && graph.weight(name).isEmpty()) {
            marks.put(name, new Shared(provider));
        }
    }

    private void bias(Node node) {
        boolean isPlain = node.number("beta", 1) == 1;
        constant(node.input(2))
                .filter(bias -> isPlain && !marks.containsKey(bias.name()))
                .filter(bias -> marks.containsKey(node.input(0)) && marks.containsKey(node.input(1)))
                .filter(bias -> isBroadcast(bias, node.input(1)))
                .ifPresent(bias -> biases.put(node, new Bias(bias, node.input(0), node.input(1))));
    }

    /** Whether a bias has one value for each channel of the weight, or the weight has one scale. */
    private boolean isBroadcast(Weight bias, String weight) {
        return !(marks.get(weight) instanceof Constant constant)
                || constant.axis().isEmpty()
                || constant.source().shape().dim(constant.axis().getAsInt()).factor() == bias.elements();
    }

    private void clamp(Node node) {
        String input = node.input(0);
        if (!marks.containsKey(input)) {
            return;
        }
        boolean drops =
                dropsClamps && !isInterface(input) && readers.of(input).size() == 1 && canBeMarked(node.output(0));
        if (drops) {
            marks.remove(input);
            dropped.add(node);
            renamed.put(input, node.output(0));
        }
        activation(node.output(0));
    }

    private boolean isInterface(String name) {
        return graph.outputs().stream().anyMatch(output -> output.name().equals(name))
                || graph.inputs().stream().anyMatch(input -> input.name().equals(name));
    }

    private void move(Node node) {
        String input = node.input(0);
        if (node.operator().startsWith("Gather") && constant(input).isPresent()) {
            activation(input);
        }
        if (marks.containsKey(input)) {
            shared(node.output(0), input);
        }
    }

    /** A shared grid needs a provider that is marked in the end. */
    private void dropUnprovided() {
        Set<String> without = new HashSet<>();
        do {
            without.clear();
            marks.forEach((name, mark) -> {
                if (mark instanceof Shared one && !marks.containsKey(one.provider())) {
                    without.add(name);
                }
            });
            marks.keySet().removeAll(without);
        } while (!without.isEmpty());
    }

    /**
     * The value whose range an activation has. A clamp limits the values of its only reader, so its input has the range of its
     * output.
     */
    String rangeOf(String name) {
        List<Node> nodes = readers.of(name);
        boolean clamped = nodes.size() == 1
                && (nodes.get(0).operator().equals("Relu")
                        || nodes.get(0).operator().equals("Clip"))
                && scope.contains(nodes.get(0))
                && canBeMarked(nodes.get(0).output(0));
        return clamped ? nodes.get(0).output(0) : name;
    }

    /** The results of chosen Softmax nodes, whose range is [0, 1]. */
    Set<String> shares() {
        Set<String> shares = new HashSet<>();
        graph.nodes().stream()
                .filter(node -> node.operator().equals("Softmax") && scope.contains(node))
                .forEach(node -> shares.add(node.output(0)));
        return shares;
    }

    /** The values whose ranges must be measured. */
    Set<String> measured() {
        Set<String> values = new LinkedHashSet<>();
        Set<String> shares = shares();
        marks.forEach((name, mark) -> {
            if (mark instanceof Activation && !shares.contains(rangeOf(name))) {
                values.add(rangeOf(name));
            }
        });
        return values;
    }

    /** The provider of a grid: the value itself unless it shares that of another. */
    String provider(String name) {
        List<String> seen = new ArrayList<>();
        String at = name;
        while (marks.get(at) instanceof Shared shared && !seen.contains(at)) {
            seen.add(at);
            at = shared.provider();
        }
        return at;
    }
}
