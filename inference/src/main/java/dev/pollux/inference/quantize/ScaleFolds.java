package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Finds where scales of the inputs of products can be absorbed. <em>Immutable after construction, thread-safe.</em> */
final class ScaleFolds {

    /*
     * x = norm(h)·γ + β                     γ and β are divided
     * x = a ⊙ u, u = W h + b                the rows of W and b are divided: u is linear, whatever a is
     * x = attention with values W h + b     the same, a head of values with the columns of every head of queries that reads it
     *
     * Every value on the way must have one reader, and be no result, since other readers would see the division. The values of an
     * attention may be kept in a cache: what it holds is divided too, and nothing else reads it.
     *
     * A row of a matrix is divided after it was quantized, by dividing its scales, which adds no error in 32 bits. So the matrices
     * on the way are quantized in earlier stages of a layer, with 32-bit scales.
     */

    private final Graph graph;
    private final ValueReaders readers;
    private final Map<String, Node> producers = new HashMap<>(); // by value, those of branches left out
    private final Map<String, MatrixPlan> plans = new HashMap<>(); // by weight

    ScaleFolds(GraphPlan plan) {
        this.graph = plan.graph();
        this.readers = new ValueReaders(graph);
        graph.nodes().forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
        plan.plans().forEach(one -> plans.put(one.weight().name(), one));
    }

    /** Where scales of the input that these matrices share are absorbed; empty if nowhere, or if others read the input. */
    Optional<ScaleFold> of(List<MatrixPlan> matrices) {
        List<MatrixUse> uses =
                matrices.stream().flatMap(one -> one.uses().stream()).toList();
        List<String> inputs =
                uses.stream().map(use -> use.node().input(0)).distinct().toList();
        if (inputs.size() != 1
                || readers.isResult(inputs.get(0))
                || readers.of(inputs.get(0)).size() != uses.size()) {
            return Optional.empty();
        }
        int width = matrices.get(0).columns();
        return norm(inputs.get(0), width).or(() -> linear(inputs.get(0)).flatMap(found -> fold(found, width)));
    }

    private Optional<ScaleFold> norm(String x, int width) {
        Node node = producers.get(x);
        if (node == null || !node.output(0).equals(x)) {
            return Optional.empty();
        }
        List<String> names = switch (node.operator()) {
            case "SimplifiedLayerNormalization", "RMSNormalization" -> List.of(node.input(1));
            case "LayerNormalization" -> List.of(node.input(1), node.input(2));
            case "SkipSimplifiedLayerNormalization" -> List.of(node.input(2));
            case "SkipLayerNormalization" -> List.of(node.input(2), node.input(3));
            default -> List.of("");
        };
        List<ScaleFold.Vector> vectors = names.stream()
                .filter(name -> !name.isEmpty())
                .map(name -> new ScaleFold.Vector(name, 0))
                .toList();
        boolean whole = vectors.stream().allMatch(vector -> isVector(vector.name(), width))
                && !names.get(0).isEmpty();
        return whole
                ? Optional.of(new ScaleFold(IntStream.range(0, width).toArray(), vectors, List.of()))
                : Optional.empty();
    }

    /** Whether a name is that of a vector in 32-bit floats with one reader. */
    private boolean isVector(String name, int width) {
        Optional<Weight> weight = graph.weight(name);
        return weight.isPresent()
                && weight.get().type() == ElementType.FLOAT
                && weight.get().shape().rank() == 1
                && weight.get().elements() == width
                && readers.of(name).size() == 1
                && !readers.isResult(name);
    }

    /**
     * A value that is linear in rows of matrices.
     *
     * @param source for each column, a row of {@code plan}
     * @param vectors are added to the product; row i has element i
     */
    private record Linear(MatrixPlan plan, int[] source, List<String> vectors) {

        Linear at(int[] columns) {
            return new Linear(
                    plan, Arrays.stream(columns).map(column -> source[column]).toArray(), vectors);
        }

        Linear range(int from, int count) {
            return at(IntStream.range(from, from + count).toArray());
        }

        int width() {
            return source.length;
        }
    }

    private static Optional<ScaleFold> fold(Linear found, int width) {
        int first = Arrays.stream(found.source()).min().orElse(0);
        int[] source = Arrays.stream(found.source()).map(row -> row - first).toArray();
        return found.width() == width && !found.plan().format().halfScales()
                ? Optional.of(new ScaleFold(
                        source,
                        found.vectors().stream()
                                .map(name -> new ScaleFold.Vector(name, first))
                                .toList(),
                        List.of(new ScaleFold.Rows(found.plan(), first))))
                : Optional.empty();
    }

    /** A value with one reader as a linear function. */
    private Optional<Linear> inner(String value) {
        return readers.of(value).size() == 1 && !readers.isResult(value) ? linear(value) : Optional.empty();
    }

    private Optional<Linear> linear(String value) {
        Node node = producers.get(value);
        if (node == null) {
            return Optional.empty();
        }
        return switch (node.operator()) {
            case "MatMul" -> product(node);
            case "Add" -> added(node, 0, 1).or(() -> added(node, 1, 0));
            case "Mul" -> inner(node.input(0)).or(() -> inner(node.input(1)));
            case "Split" -> split(node, value);
            case "GroupQueryAttention" -> attention(node, value);
            default -> Optional.empty();
        };
    }

    private Optional<Linear> product(Node node) {
        return Optional.ofNullable(plans.get(node.input(1)))
                .filter(plan -> plan.uses().size() == 1 && plan.method().runsLayerByLayer())
                .map(plan -> new Linear(plan, IntStream.range(0, plan.rows()).toArray(), List.of()));
    }

    private Optional<Linear> added(Node node, int vector, int other) {
        return inner(node.input(other))
                .filter(found -> found.width() == found.plan().rows() && isVector(node.input(vector), found.width()))
                .map(found -> {
                    List<String> vectors = new ArrayList<>(found.vectors());
                    vectors.add(node.input(vector));
                    return new Linear(found.plan(), found.source(), vectors);
                });
    }

    private Optional<Linear> split(Node node, String value) {
        long[] sizes = graph.integers(node.input(1)).orElse(new long[0]);
        int index = node.outputs().indexOf(value);
        Optional<Linear> whole =
                inner(node.input(0)).filter(found -> Arrays.stream(sizes).sum() == found.width());
        return whole.map(
                found -> found.range((int) Arrays.stream(sizes, 0, index).sum(), (int) sizes[index]));
    }

    /** The heads of queries in a group read one head of values. */
    private Optional<Linear> attention(Node node, String value) {
        boolean kept = node.outputs().stream()
                .skip(1)
                .anyMatch(output -> !readers.of(output).isEmpty());
        if (!node.output(0).equals(value) || kept) {
            return Optional.empty();
        }
        int heads = (int) node.integer("num_heads", 0);
        int pairs = (int) node.integer("kv_num_heads", 0);
        boolean packed = node.input(1).isEmpty();
        return inner(packed ? node.input(0) : node.input(2)).map(found -> {
            int size = found.width() / (packed ? heads + 2 * pairs : pairs);
            int first = packed ? (heads + pairs) * size : 0;
            int group = heads / pairs;
            return found.at(IntStream.range(0, heads * size)
                    .map(column -> first + column / size / group * size + column % size)
                    .toArray());
        });
    }
}
