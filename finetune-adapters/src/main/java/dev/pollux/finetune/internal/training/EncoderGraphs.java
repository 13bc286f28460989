package dev.pollux.finetune.internal.training;

import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.differentiation.Differentiation;
import dev.pollux.finetune.internal.differentiation.Gradients;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphRewrite;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The graph of an encoder with the changes of {@link Trainables}, and its gradients. <em>Confined to one thread.</em> */
final class EncoderGraphs {

    /*
     * The graph is the one that inference runs, in floats. A product x·W, W (columns, rows), whose W is stored in the checkpoint
     * becomes x·W + (x·Aᵀ)·Bᵀ, with factors that are inputs. A trained matrix or vector of a head is an input in place of a weight.
     * All weights are inputs, so that the forward and the backward program share them.
     *
     * Encoders are small and their texts short, so the backward program computes the whole forward pass again, in one run: nothing
     * is kept between the two but the tokens.
     */

    static final String SEED = "gradient of the result";

    private final TensorFile tensors;
    private final Trainables trainables;
    private final Graph graph;
    private final Value result;
    private final List<StackedMatrix> matrices = new ArrayList<>();
    private final Map<String, TrainedInput> trained = new LinkedHashMap<>();
    private final Map<String, Integer> masks = new LinkedHashMap<>(); // inputs of dropout, with their columns
    private final Set<String> detached = new HashSet<>();

    /**
     * @param exported the graph of the encoder
     * @param tensors its tensors
     */
    EncoderGraphs(Graph exported, TensorFile tensors, Trainables trainables) {
        this.tensors = tensors;
        this.trainables = trainables;
        GraphRewrite rewrite = GraphRewrite.of(exported);
        for (Node node : exported.nodes()) {
            if (node.operator().equals("MatMul") && node.domain().isEmpty()) {
                exported.weight(node.input(1)).flatMap(this::stored).ifPresent(matrix -> {
                    matrices.add(matrix);
                    trainables
                            .of(matrix)
                            .ifPresent(change -> rewrite.replace(
                                    node.output(0), (product, to) -> change(product, matrix, change, to)));
                });
            }
        }
        this.graph = rewrite.graph();
        this.result = result(graph);
        whole();
    }

    /** The matrix of the checkpoint that a weight is the transpose of; empty if it is none. */
    private Optional<StackedMatrix> stored(Weight weight) {
        List<String> names = List.of(weight.name().split("\\+"));
        boolean all = names.stream()
                .allMatch(name -> tensors.tensors().containsKey(name)
                        && tensors.info(name).shape().size() == 2
                        && tensors.info(name).dim(1) == weight.shape().size(0));
        return all
                ? Optional.of(
                        StackedMatrix.of(tensors, names, (int) weight.shape().size(0)))
                : Optional.empty();
    }

    /** The value that the output copies, whose shape is known. */
    private static Value result(Graph graph) {
        String output = graph.outputs().get(0).name();
        Node last = graph.nodes().stream()
                .filter(node -> node.output(0).equals(output))
                .findFirst()
                .orElseThrow();
        Value of = graph.value(last.input(0));
        return new Value(of.name(), ElementType.FLOAT, of.shape());
    }

    // Changes

    private Value input(TrainedInput input, GraphBuilder to) {
        trained.put(input.name(), input);
        return to.input(input.value());
    }

    private void change(Node product, StackedMatrix matrix, StackedAdapter change, GraphBuilder to) {
        String y = product.output(0);
        Value known = to.value(y);
        Value x = to.value(product.input(0));
        to.add(product.withOutput(0, y + ".base"));
        Value base = to.declared(new Value(y + ".base", ElementType.FLOAT, known.shape()));
        Value a = input(change.a(), to);
        Value b = input(change.b(), to);
        Value rows = x.shape().rank() == 2
                ? x
                : to.op("Reshape", y + ".rows", x, to.integers(y + ".shape", -1, matrix.columns()));
        Value low = to.op("Gemm", y + ".low", List.of(dropped(rows, y, matrix, to), a), Map.of("transB", 1));
        Value high = to.op("Gemm", y + ".high", List.of(low, b), Map.of("transB", 1));
        Value added = x.shape().rank() == 2
                ? high
                : to.declared(new Value(
                        to.op("Reshape", y + ".change", high, to.op("Shape", y + ".sizes", base))
                                .name(),
                        ElementType.FLOAT,
                        known.shape()));
        boolean last = !change.hasMagnitude() && !change.hasBias();
        Value sum = to.op("Add", last ? y : y + ".sum", base, added);
        if (change.hasMagnitude()) {
            Value lengths = lengths(to.value(product.input(1)), y, List.of(a, b, input(change.magnitude(), to)), to);
            sum = to.op("Mul", change.hasBias() ? y + ".scaled" : y, sum, lengths);
        }
        if (change.hasBias()) {
            to.op("Add", y, sum, input(change.bias(), to));
        }
    }

    private Value dropped(Value rows, String y, StackedMatrix matrix, GraphBuilder to) {
        if (trainables.dropout() == 0) {
            return rows;
        }
        String name = "dropout " + y;
        masks.put(name, matrix.columns());
        Value mask = to.input(name, ElementType.FLOAT, "rows of " + y, matrix.columns());
        return to.declared(new Value(
                to.op("Mul", y + ".dropped", rows, to.declared(new Value(name, mask.type(), rows.shape())))
                        .name(),
                ElementType.FLOAT,
                rows.shape()));
    }

    /** m / ‖W + B·A‖ for each row of the checkpoint's matrix, a column here. */
    private Value lengths(Value weight, String y, List<Value> factors, GraphBuilder to) {
        Map<String, ?> turned = Map.of("transA", 1, "transB", 1);
        Value changed = to.op("Gemm", y + ".changed", List.of(factors.get(0), factors.get(1), weight), turned);
        Value squares = to.op("Mul", y + ".squares", changed, changed);
        Value sums =
                to.op("ReduceSum", y + ".sums", List.of(squares, to.integers(y + ".axis", 0)), Map.of("keepdims", 0));
        Value norms = to.op("Sqrt", y + ".norms", sums);
        detached.add(norms.name());
        return to.op("Div", y + ".lengths", factors.get(2), norms);
    }

    /** Trained tensors that are weights of the graph: a vector, or a matrix, which the graph has transposed. */
    private void whole() {
        Set<String> stacked = biases();
        for (Parameter parameter : trainables.tensors()) {
            if (stacked.contains(parameter.tensor())) {
                continue;
            }
            Weight weight = graph.weight(parameter.tensor())
                    .orElseThrow(() -> new UnsupportedModelException("The tensor " + parameter.tensor()
                            + " is not a weight of its own in the graph, so it cannot be trained as a whole"));
            boolean turned = parameter.shape().size() == 2;
            List<Long> shape =
                    weight.shape().dims().stream().map(Shape.Dim::factor).toList();
            trained.put(
                    parameter.tensor(),
                    new TrainedInput(
                            parameter.tensor(),
                            shape,
                            (input, into) -> turn(parameter, turned, into, false),
                            (input, gradient) -> turn(parameter, turned, gradient, true)));
        }
    }

    /** Trained biases of matrices, stacked as these are; returns their names. */
    private Set<String> biases() {
        Set<String> found = new HashSet<>();
        for (StackedMatrix matrix : matrices) {
            List<String> names = matrix.names().stream()
                    .map(name -> name.replaceAll("weight$", "bias"))
                    .toList();
            graph.weights().stream()
                    .filter(weight -> isBiasOf(weight, names))
                    .findFirst()
                    .flatMap(weight ->
                            trainables.bias(weight.name(), names, matrix.rowsOfParts(), () -> stored(matrix, names)))
                    .ifPresent(input -> {
                        trained.put(input.name(), input);
                        found.addAll(names);
                    });
        }
        return found;
    }

    /** A stacked bias is called after the modules, of which only the first may have the prefix of the base model. */
    private static boolean isBiasOf(Weight weight, List<String> names) {
        String[] parts = weight.name().split("\\+");
        boolean all = parts.length == names.size() && weight.name().endsWith(".bias");
        for (int i = 0; i < parts.length && all; i++) {
            String part = i == parts.length - 1 ? parts[i] : parts[i] + ".bias";
            all = names.get(i).equals(part) || i > 0 && names.get(i).endsWith("." + part);
        }
        return all;
    }

    private float[] stored(StackedMatrix matrix, List<String> biases) {
        float[] all = new float[matrix.rows()];
        int at = 0;
        for (int i = 0; i < biases.size(); i++) {
            if (tensors.tensors().containsKey(biases.get(i))) {
                float[] own = tensors.floats(biases.get(i));
                System.arraycopy(own, 0, all, at, own.length);
            }
            at += matrix.rowsOfParts().get(i);
        }
        return all;
    }

    /** Writes the values transposed into {@code array}, or adds a transposed gradient from it. */
    private static void turn(Parameter parameter, boolean turned, float[] array, boolean back) {
        int columns = turned ? Math.toIntExact(parameter.shape().get(1)) : 1;
        int rows = parameter.values().length / columns;
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int own = row * columns + column;
                int other = column * rows + row;
                if (back) {
                    parameter.gradient()[own] += array[other];
                } else {
                    array[other] = parameter.values()[own];
                }
            }
        }
    }

    // What it is made of

    /** The stored matrices that the graph multiplies with, in order. */
    List<StackedMatrix> matrices() {
        return matrices;
    }

    /** The inputs made of parameters, by name. */
    Map<String, TrainedInput> trained() {
        return trained;
    }

    /** The inputs of dropout, with their columns. */
    Map<String, Integer> masks() {
        return masks;
    }

    /** The result: (batch, tokens, width), or (batch, labels). */
    Value result() {
        return result;
    }

    /** The weights among the inputs of a graph that are not trained. */
    List<Weight> weights(Graph cut) {
        return cut.inputs().stream()
                .filter(input -> !trained.containsKey(input.name()))
                .flatMap(input -> graph.weight(input.name()).stream())
                .toList();
    }

    private List<Value> floats() {
        return graph.weights().stream()
                .filter(weight -> weight.type() == ElementType.FLOAT
                        && (weight.elements() > 1 || trained.containsKey(weight.name())))
                .map(Weight::value)
                .toList();
    }

    Graph forward() {
        return GraphCut.between(graph, floats(), List.of(result));
    }

    /** The gradients of the trained inputs, by name. */
    ModelGraphs.Backward backward() {
        Graph forward = forward();
        Set<String> wanted = new LinkedHashSet<>(trained.keySet());
        Value seed = new Value(SEED, ElementType.FLOAT, result.shape());
        Gradients gradients = Differentiation.of(forward, Map.of(result.name(), seed), wanted, detached);
        return ModelGraphs.backward(gradients);
    }
}
