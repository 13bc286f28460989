package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphRewrite;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.int8.Calibration.Measured;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Moves outliers of activations into weights before both are rounded to 8 bits. <em>Confined to one thread.</em> */
final class Smoothing {

    /*
     * SmoothQuant (Xiao et al., "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models",
     * arXiv:2211.10438). For the products with one input x,
     *
     *   σ_j = max |x_j|^α / max |w_j|^(1 − α)      at least 1e-5; 1 for a column that is 0 in all texts
     *   W x = (W diag σ) (x / σ)
     *
     * where max |w_j| is taken over the rows of all matrices of the group. The division goes into the vectors of the norm that computes
     * x if nothing else reads x; otherwise a multiplication by 1 / σ is added, which reads x once more. A product takes part if its
     * weight is a constant with readers of the same input only: another input would see the factors.
     */

    private static final float LEAST = 1e-5f;
    private static final String SMOOTHED = "_smoothed";

    private final Graph graph;
    private final WeightReaders readers;
    private final Map<String, Group> groups = new LinkedHashMap<>(); // by input
    private final Map<String, Node> producers = new HashMap<>();
    private final Map<String, float[]> scales = new LinkedHashMap<>(); // σ, by input

    /** Products with one input. */
    private record Group(List<Node> nodes, Map<String, Weight> weights, int width) {}

    private Smoothing(Graph graph) {
        this.graph = graph;
        this.readers = new WeightReaders(graph);
        graph.nodes().forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
    }

    /**
     * Finds the products of a graph whose inputs can be smoothed.
     *
     * @param kept weights that stay in float
     */
    static Smoothing of(Graph graph, Predicate<Weight> kept) {
        Smoothing found = new Smoothing(graph);
        graph.nodes().stream().filter(node -> found.takesPart(node, kept)).forEach(found::add);
        return found;
    }

    private boolean takesPart(Node node, Predicate<Weight> kept) {
        boolean product = node.domain().isEmpty()
                && (node.operator().equals("MatMul")
                        || node.operator().equals("Gemm") && node.integer("transA", 0) == 0);
        return product
                && graph.weight(node.input(0)).isEmpty()
                && readers.constant(node.input(1))
                        .filter(weight -> weight.shape().rank() == 2 && !kept.test(weight))
                        .filter(weight -> readers.of(weight.name()).stream().allMatch(other -> isAlike(other, node)))
                        .isPresent();
    }

    /** Whether a reader of a weight reads it as another does, with the same input. */
    private static boolean isAlike(Node reader, Node other) {
        return reader.operator().equals(other.operator())
                && reader.input(0).equals(other.input(0))
                && reader.input(1).equals(other.input(1))
                && isTurned(reader) == isTurned(other);
    }

    private static boolean isTurned(Node node) {
        return node.integer("transB", 0) != 0;
    }

    private void add(Node node) {
        Weight weight = graph.weight(node.input(1)).orElseThrow();
        int width = (int) weight.shape().size(isTurned(node) ? 1 : 0);
        Group group = groups.computeIfAbsent(
                node.input(0), input -> new Group(new ArrayList<>(), new LinkedHashMap<>(), width));
        group.nodes().add(node);
        group.weights().put(weight.name(), weight);
    }

    /** The number of columns of each input. */
    Map<String, Integer> widths() {
        Map<String, Integer> widths = new LinkedHashMap<>();
        groups.forEach((input, group) -> widths.put(input, group.width()));
        return widths;
    }

    /**
     * Chooses the scales; reads the weights once.
     *
     * @param magnitudes max |x_j| of each input
     * @param alpha how much of the range of activations moves into weights, in [0, 1]
     */
    void choose(Map<String, float[]> magnitudes, double alpha) {
        groups.forEach((input, group) -> {
            float[] weights = magnitudes(group);
            float[] activations = magnitudes.getOrDefault(input, new float[group.width()]);
            scales.put(input, scales(activations, weights, alpha));
        });
    }

    /** σ, (K). */
    static float[] scales(float[] activations, float[] weights, double alpha) {
        float[] scales = new float[activations.length];
        for (int j = 0; j < scales.length; j++) {
            double divisor = Math.pow(Math.max(weights[j], LEAST), 1 - alpha);
            scales[j] = activations[j] == 0 ? 1 : (float) Math.max(LEAST, Math.pow(activations[j], alpha) / divisor);
        }
        return scales;
    }

    /** max |w_j| over the rows of all matrices, (K). */
    private static float[] magnitudes(Group group) {
        float[] most = new float[group.width()];
        for (Node node : group.nodes()) {
            Columns columns = new Columns(node, group.width());
            Weight weight = group.weights().get(node.input(1));
            if (weight != null) {
                FloatPieces.read(weight, (first, values) -> {
                    for (int i = 0; i < values.length; i++) {
                        int j = columns.of(weight, first + i);
                        most[j] = Math.max(most[j], Math.abs(values[i]));
                    }
                });
            }
        }
        return most;
    }

    /** The input of a product that each element of its weight belongs to. */
    private record Columns(Node node, int width) {

        int of(Weight weight, long index) {
            return (int) (isTurned(node) ? index % width : index / (weight.elements() / width));
        }
    }

    /** How a value of the smoothed graph follows from the float graph. */
    Measured measured(String value) {
        String input = value.endsWith(SMOOTHED) ? value.substring(0, value.length() - SMOOTHED.length()) : value;
        float[] divisors = scales.get(input);
        if (divisors == null || !value.equals(smoothed(input))) {
            return Measured.of(value);
        }
        return new Measured(input, divisors);
    }

    /** The name of x / σ. */
    private String smoothed(String input) {
        return vectors(input).isEmpty() ? input + SMOOTHED : input;
    }

    /** The graph with scaled weights. */
    Graph graph() {
        GraphRewrite rewrite = GraphRewrite.of(graph);
        Set<String> replaced = new LinkedHashSet<>();
        List<Weight> made = new ArrayList<>();
        groups.forEach((input, group) -> {
            float[] sigma = scales.getOrDefault(input, new float[0]);
            group.nodes().forEach(node -> {
                Weight weight = graph.weight(node.input(1)).orElseThrow();
                if (replaced.add(weight.name())) {
                    Columns columns = new Columns(node, group.width());
                    made.add(changed(weight, (index, value) -> value * sigma[columns.of(weight, index)]));
                }
            });
            List<Weight> vectors = vectors(input);
            for (Weight vector : vectors) {
                replaced.add(vector.name());
                made.add(changed(vector, (index, value) -> value / sigma[(int) index]));
            }
            if (vectors.isEmpty()) {
                multiply(rewrite, input, group, sigma);
            }
        });
        return rewrite.without(replaced).first(to -> made.forEach(to::weight)).graph();
    }

    private void multiply(GraphRewrite rewrite, String input, Group group, float[] sigma) {
        String factors = input + "_smoothing";
        float[] inverse = new float[sigma.length];
        for (int j = 0; j < inverse.length; j++) {
            inverse[j] = 1 / sigma[j];
        }
        rewrite.first(to -> to.weight(Constants.floats(factors, inverse::clone, inverse.length, true)));
        String first = group.nodes().get(0).output(0);
        group.nodes()
                .forEach(node -> rewrite.replace(node.output(0), (old, to) -> {
                    if (node.output(0).equals(first)) {
                        to.add(Node.of("Mul", "", List.of(input, factors), List.of(smoothed(input)), Map.of()));
                        to.declared(new Value(
                                smoothed(input),
                                ElementType.FLOAT,
                                graph.value(input).shape()));
                    }
                    to.add(old.withInput(0, smoothed(input)));
                }));
    }

    /** The vectors of the norm that computes an input; empty if they must stay. */
    private List<Weight> vectors(String input) {
        Node node = producers.get(input);
        Group group = groups.get(input);
        if (node == null || group == null || !node.output(0).equals(input)) {
            return List.of();
        }
        boolean alone = readers.of(input).size() == group.nodes().size()
                && !readers.isInBranch(input)
                && graph.outputs().stream().noneMatch(output -> output.name().equals(input));
        if (!alone) {
            return List.of();
        }
        List<String> names = switch (node.operator()) {
            case "SimplifiedLayerNormalization", "RMSNormalization" -> List.of(node.input(1));
            case "LayerNormalization" -> List.of(node.input(1), node.input(2));
            case "SkipSimplifiedLayerNormalization" -> List.of(node.input(2));
            case "SkipLayerNormalization" -> List.of(node.input(2), node.input(3));
            default -> List.of();
        };
        List<Weight> vectors = names.stream()
                .filter(name -> !name.isEmpty())
                .flatMap(name -> readers.constant(name).stream())
                .filter(vector -> vector.shape().rank() == 1
                        && vector.elements() == group.width()
                        && readers.of(vector.name()).size() == 1)
                .toList();
        long given = names.stream().filter(name -> !name.isEmpty()).count();
        return vectors.size() == given ? vectors : List.of();
    }

    /** Changes a value of a weight. */
    @FunctionalInterface
    private interface Change {
        float of(long index, float value);
    }

    private static Weight changed(Weight weight, Change change) {
        return new Weight(
                weight.name(),
                ElementType.FLOAT,
                weight.shape(),
                sink -> FloatPieces.read(weight, (first, values) -> {
                    ByteBuffer bytes =
                            ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                    for (int i = 0; i < values.length; i++) {
                        bytes.putFloat(change.of(first + i, values[i]));
                    }
                    sink.accept(bytes.flip());
                }));
    }
}
