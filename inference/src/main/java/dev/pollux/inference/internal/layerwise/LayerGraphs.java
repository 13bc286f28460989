package dev.pollux.inference.internal.layerwise;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.ShapeMismatchException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.architecture.Architecture;
import dev.pollux.inference.internal.architecture.Architectures;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.DerivedTensors;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.masked.Operators;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The graph of a model from ids to the normed stream, cut into parts: the embedding, each layer, the last norm. <em>Confined
 * to one thread.</em>
 */
final class LayerGraphs {

    /*
     * The whole model is lowered once; this reads no weights. The builder's node count after each part gives the cuts. A value
     * that a part reads from an earlier part is handled in one of two ways:
     *
     *   recomputed   if it depends on the shape of the ids, the mask and small constants alone: masks, positions
     *   carried      otherwise: the stream itself, and what an architecture takes past it, such as the keys and values that
     *                the upper layers of Gemma 4 share
     *
     * A node is recomputed as a whole, so no node computes a carried value and a recomputed one. Carried values and weights
     * are inputs of a part's graph. A session therefore has no weights of its own, needs no second copy of them, and is
     * opened in milliseconds.
     */

    /** Weights with more elements are inputs. */
    private static final int SMALL = 64;

    private final Graph graph;
    private final LayerLowering lowering;
    private final DerivedTensors tensors;
    private final int layers;
    private final List<Integer> ends = new ArrayList<>(); // per part, the index after its last node
    private final List<Integer> products = new ArrayList<>(); // per part, the number of products up to its end
    private final List<Value> streams = new ArrayList<>(); // per part, the stream after it
    private final Map<String, Integer> partOf = new HashMap<>(); // by value, the part that computes it
    private final Set<String> recomputed = new HashSet<>();
    private final List<Set<String>> reads = new ArrayList<>(); // per part, the carried values that it reads

    LayerGraphs(ModelConfig config, Settings settings, DerivedTensors tensors, int mostTokens) {
        this.tensors = tensors;
        GraphBuilder builder = GraphBuilder.create();
        builder.input(Operators.IDS);
        builder.input(Operators.MASK);
        Operators operators = new Operators(builder);
        LayerLowering[] made = new LayerLowering[1];
        Blocks blocks = new Blocks(config, settings, tensors, builder, mostTokens, b -> {
            made[0] = new LayerLowering(b, operators);
            return made[0];
        });
        this.lowering = made[0];
        Architecture architecture = Architectures.of(blocks);
        this.layers = architecture.layers();
        try {
            Residual x = architecture.embed();
            part(builder, x.value());
            for (int layer = 0; layer < layers; layer++) {
                architecture.layer(layer, x);
                part(builder, x.value());
            }
            part(builder, architecture.normed(x));
        } catch (ShapeMismatchException e) {
            throw new MalformedFileException(
                    settings.file() + ": " + e.getMessage()
                            + "; the configuration and the weights do not belong together",
                    e);
        }
        this.graph = builder.build();
        classify();
    }

    private void part(GraphBuilder builder, Value stream) {
        ends.add(builder.nodeCount());
        streams.add(stream);
        products.add(lowering.products().size());
    }

    private void classify() {
        lowering.lookups().forEach(lookup -> partOf.put(lookup.rows().name(), 0)); // given to the first part
        int node = 0;
        for (int part = 0; part < ends.size(); part++) {
            Set<String> carried = new LinkedHashSet<>();
            for (; node < ends.get(part); node++) {
                Node added = graph.nodes().get(node);
                for (String read : added.inputs()) {
                    if (partOf.getOrDefault(read, part) < part && !recomputed.contains(read)) {
                        carried.add(read);
                    }
                }
                boolean cheap =
                        added.branches().isEmpty() && added.inputs().stream().allMatch(this::isCheap);
                for (String output : added.outputs()) {
                    partOf.put(output, part);
                    if (cheap) {
                        recomputed.add(output);
                    }
                }
            }
            reads.add(carried);
        }
    }

    /** Whether a value can be computed anew without the weights of another part. */
    private boolean isCheap(String value) {
        return value.isEmpty()
                || value.equals(Operators.IDS.name())
                || value.equals(Operators.MASK.name())
                || recomputed.contains(value)
                || graph.weight(value).filter(LayerGraphs::isSmall).isPresent();
    }

    /** The products with matrices in a part. */
    List<LinearProduct> products(int part) {
        int first = part == 0 ? 0 : products.get(part - 1);
        return lowering.products().subList(first, products.get(part)).stream()
                .map(product -> new LinearProduct(
                        product.x().name(),
                        product.matrix().names(),
                        product.factor().name(),
                        product.matrix().rows(),
                        product.matrix().columns()))
                .toList();
    }

    /**
     * The {@link #linearInputs} of a part in stages: an input depends on products of earlier stages of the part only. Inputs
     * within a stage are in order.
     */
    List<List<LinearInput>> stages(int part) {
        Set<String> factors = new HashSet<>();
        products(part).forEach(product -> factors.add(product.factor()));
        Map<String, Integer> depths = new HashMap<>(); // by value, the number of products on the longest way to it
        for (Node node : graph.nodes().subList(part == 0 ? 0 : ends.get(part - 1), ends.get(part))) {
            int depth = node.reads().stream()
                    .mapToInt(read -> depths.getOrDefault(read, 0))
                    .max()
                    .orElse(0);
            boolean product = node.inputs().stream().anyMatch(factors::contains);
            node.outputs().forEach(output -> depths.put(output, product ? depth + 1 : depth));
        }
        Map<Integer, List<LinearInput>> stages = new TreeMap<>();
        linearInputs(part)
                .forEach(input -> stages.computeIfAbsent(
                                depths.getOrDefault(input.value(), 0), depth -> new ArrayList<>())
                        .add(input));
        return List.copyOf(stages.values());
    }

    private static boolean isSmall(Weight weight) {
        return weight.elements() <= SMALL || weight.type() == ElementType.INT64;
    }

    DerivedTensors tensors() {
        return tensors;
    }

    int layers() {
        return layers;
    }

    /** The number of parts: the layers and two. */
    int parts() {
        return ends.size();
    }

    List<LayerLowering.Lookup> lookups() {
        return lowering.lookups();
    }

    /** The stream after a part. */
    Value stream(int part) {
        return streams.get(part);
    }

    /** The names of the values that exist after a part and are still read, the stream among them. */
    Set<String> carriedAfter(int part) {
        Set<String> names = new LinkedHashSet<>();
        names.add(stream(part).name());
        for (int later = part + 1; later < reads.size(); later++) {
            reads.get(later).stream()
                    .filter(name -> partOf.getOrDefault(name, 0) <= part)
                    .forEach(names::add);
        }
        return names;
    }

    /** The values that matrices are multiplied with in a part, each with its matrices. */
    List<LinearInput> linearInputs(int part) {
        Map<String, LinearInput> inputs = new LinkedHashMap<>();
        int first = part == 0 ? 0 : products.get(part - 1);
        for (LayerLowering.Product product : lowering.products().subList(first, products.get(part))) {
            String x = product.x().name();
            LinearInput one = new LinearInput(
                    x, product.matrix().names(), product.matrix().columns());
            inputs.merge(x, one, LinearInput::with);
        }
        return List.copyOf(inputs.values());
    }

    /** The names of the carried values that a part computes. */
    List<String> computed(int part) {
        return carriedAfter(part).stream()
                .filter(name -> partOf.getOrDefault(name, 0) == part && !isLookup(name))
                .toList();
    }

    private boolean isLookup(String name) {
        return lowering.lookups().stream()
                .anyMatch(lookup -> lookup.rows().name().equals(name));
    }

    /**
     * The graph of a part that computes {@code outputs}, in which all but small weights are inputs.
     *
     * @param outputs names of values that the part computes
     */
    Graph part(int part, Collection<String> outputs) {
        List<Value> given = new ArrayList<>();
        if (part > 0) {
            carriedAfter(part - 1).forEach(name -> given.add(floats(name)));
        }
        graph.weights().stream().filter(weight -> !isSmall(weight)).forEach(weight -> given.add(weight.value()));
        return GraphCut.between(graph, given, outputs.stream().map(this::floats).toList());
    }

    /** The types of some operators' results are not inferred. */
    private Value floats(String name) {
        Value value = graph.value(name);
        return new Value(name, ElementType.FLOAT, value.shape());
    }

    /** The weights among the inputs of a part's graph. */
    List<Weight> weights(Graph part) {
        return part.inputs().stream()
                .flatMap(input -> graph.weight(input.name()).stream())
                .toList();
    }
}
