package dev.pollux.finetune.internal.training;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.differentiation.Differentiation;
import dev.pollux.finetune.internal.differentiation.Gradients;
import dev.pollux.finetune.internal.training.TrainingLowering.AttentionCall;
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
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The graphs of a model for training, cut into layers and at each attention. Reads no weights. <em>Confined to one thread.</em> */
final class ModelGraphs {

    /*
     * The model is lowered once, as one graph. A layer with attentions a₁ … aₘ is computed in m + 1 segments:
     *
     *   segment i ≤ m   (x, attended₁ … attendedᵢ₋₁) → (qᵢ, kᵢ, vᵢ)
     *   segment m + 1   (x, attended₁ … attendedₘ) → x of the next layer
     *
     * with x the stream before the layer. Each is a cut of the graph, so what two segments share, such as a norm, is computed
     * in both. The gradient of a segment is Differentiation of its cut with respect to x, the attended values and the trained
     * inputs. Since it begins at x, it computes the layer again and nothing between x and its results is kept.
     *
     * Where there is memory, what takes most of that time is kept: the sums that products with weights end in, with biases, changes
     * and the stream added. The cut of the gradients then begins at these as well. Norms and activation functions, which
     * take little, are computed again in any case.
     */

    static final String SEED = "seed.";

    private static final Set<String> PRODUCTS = Set.of("MatMul", "Gemm");

    private final Graph graph;
    private final TrainingLowering lowering;
    private final int layers;
    private final int mostTokens;
    private final List<Value> streams = new ArrayList<>(); // before each layer, and after the last
    private final List<Integer> calls = new ArrayList<>(); // attentions before each layer, and in all
    private final HeadGraph head;

    /**
     * A part of a layer.
     *
     * @param forward computes {@code results}
     * @param results q, k and v, or the stream
     * @param call the attention after it; empty for the last segment
     */
    record Segment(Graph forward, List<Value> results, Optional<AttentionCall> call) {}

    /**
     * The gradients of a segment.
     *
     * @param graph computes the gradients; its inputs are those of the segment and {@code SEED} + name for each result
     * @param of the gradients by the names of values
     * @param kept values of the forward pass among its inputs
     */
    record Backward(Graph graph, Map<String, Value> of, List<Value> kept) {}

    /** @param teacher how predictions are compared with those of a teacher; empty for none */
    ModelGraphs(ModelPair.Setting setting, Trainables trainables, Optional<TeacherLoss> teacher) {
        Settings settings = setting.settings();
        this.mostTokens = setting.mostTokens();
        GraphBuilder builder = GraphBuilder.create();
        Operators operators = new Operators(builder);
        TrainingLowering[] made = new TrainingLowering[1];
        Blocks blocks = new Blocks(
                setting.config(), settings, new DerivedTensors(setting.tensors()), builder, mostTokens, b -> {
                    made[0] = new TrainingLowering(b, operators, trainables);
                    return made[0];
                });
        this.lowering = made[0];
        Architecture architecture = Architectures.of(blocks);
        this.layers = architecture.layers();
        try {
            Residual x = architecture.embed();
            streams.add(x.value());
            for (int layer = 0; layer < layers; layer++) {
                calls.add(lowering.calls().size());
                architecture.layer(layer, x);
                streams.add(x.value());
            }
            calls.add(lowering.calls().size());
            Value normed = architecture.normed(x);
            HeadGraph plain = trainables.whole(Trainables.SCORE).isPresent()
                    ? HeadGraph.ofScores(builder, lowering.scores(normed))
                    : HeadGraph.ofLogits(builder, architecture.head(normed));
            this.head = teacher.map(loss -> plain.withTeacher(operators, loss)).orElse(plain);
        } catch (ShapeMismatchException e) {
            throw new MalformedFileException(
                    settings.file() + ": " + e.getMessage()
                            + "; the configuration and the weights do not belong together",
                    e);
        }
        this.graph = builder.build();
    }

    int layers() {
        return layers;
    }

    /** The number of rows of a set of rotary frequencies. */
    int mostTokens() {
        return mostTokens;
    }

    /** The matrices that layers multiply with, each part by itself, in order. */
    Set<String> matrices() {
        Set<String> names = new LinkedHashSet<>();
        lowering.products().forEach(matrix -> names.addAll(matrix.names()));
        return names;
    }

    List<StackedMatrix> products() {
        return lowering.products();
    }

    StackedMatrix table() {
        return lowering.table();
    }

    Value rows() {
        return lowering.rows();
    }

    /** The stream before a layer, or after the last. */
    Value stream(int layer) {
        return streams.get(layer);
    }

    Map<String, TrainedInput> trained() {
        return lowering.trained();
    }

    /** The inputs of dropout among those of a graph, with their columns. */
    Map<String, Integer> masks(Graph cut) {
        Map<String, Integer> masks = new LinkedHashMap<>(lowering.masks());
        masks.keySet()
                .removeIf(name ->
                        cut.inputs().stream().noneMatch(input -> input.name().equals(name)));
        return masks;
    }

    /** The probability of dropout. */
    double dropout() {
        return lowering.dropout();
    }

    Map<String, Integer> positions() {
        return lowering.positions();
    }

    HeadGraph head() {
        return head;
    }

    // Cuts

    /** All weights but single numbers are inputs, so that layers of one form share a session. */
    private List<Value> weights() {
        return graph.weights().stream()
                .filter(ModelGraphs::isInput)
                .map(Weight::value)
                .toList();
    }

    private static boolean isInput(Weight weight) {
        return weight.type() != ElementType.INT64 && weight.elements() > 1;
    }

    /** The weights among the inputs of a graph. */
    List<Weight> weights(Graph cut) {
        return cut.inputs().stream()
                .flatMap(input -> graph.weight(input.name()).stream())
                .toList();
    }

    /** The trained inputs among the inputs of a graph. */
    List<TrainedInput> trained(Graph cut) {
        return cut.inputs().stream()
                .flatMap(input -> Optional.ofNullable(lowering.trained().get(input.name())).stream())
                .toList();
    }

    private Graph cut(List<Value> given, List<Value> results) {
        List<Value> inputs = new ArrayList<>(given);
        inputs.addAll(weights());
        return GraphCut.between(
                graph, inputs, results.stream().map(ModelGraphs::floats).toList());
    }

    /** The types of some operators' results are not inferred. */
    private static Value floats(Value value) {
        return new Value(value.name(), ElementType.FLOAT, value.shape());
    }

    /** From the rows of the embedding to the stream; empty if that is the same. */
    Optional<Graph> embedding() {
        return stream(0).name().equals(rows().name())
                ? Optional.empty()
                : Optional.of(cut(List.of(rows()), List.of(stream(0))));
    }

    List<Segment> segments(int layer) {
        List<AttentionCall> own = lowering.calls().subList(calls.get(layer), calls.get(layer + 1));
        List<Segment> segments = new ArrayList<>();
        for (AttentionCall call : own) {
            segments.add(segment(layer, own, List.of(call.query(), call.key(), call.value()), Optional.of(call)));
        }
        segments.add(segment(layer, own, List.of(stream(layer + 1)), Optional.empty()));
        return segments;
    }

    private Segment segment(int layer, List<AttentionCall> own, List<Value> results, Optional<AttentionCall> call) {
        Graph forward = cut(List.of(stream(layer)), results);
        Set<String> allowed = new HashSet<>(lowering.trained().keySet());
        allowed.addAll(lowering.positions().keySet());
        allowed.addAll(lowering.masks().keySet());
        allowed.add(stream(layer).name());
        own.forEach(one -> allowed.add(one.attended().name()));
        for (Value input : forward.inputs()) {
            if (!allowed.contains(input.name()) && graph.weight(input.name()).isEmpty()) {
                throw new UnsupportedModelException("Layer " + layer + " reads " + input.name()
                        + " of other layers, which cannot be trained; train a model whose layers read only the stream");
            }
        }
        return new Segment(forward, results, call);
    }

    /**
     * The gradients of a segment.
     *
     * @param stream whether the gradient of the stream is needed
     * @param kept values of the segment that may be given, see {@link #sums}
     */
    Backward backward(int layer, Segment segment, boolean stream, List<Value> kept) {
        Set<String> wanted = new LinkedHashSet<>();
        for (Value input : segment.forward().inputs()) {
            boolean attended = lowering.calls().stream()
                    .anyMatch(call -> call.attended().name().equals(input.name()));
            if (attended || lowering.trained().containsKey(input.name())) {
                wanted.add(input.name());
            }
        }
        if (stream) {
            wanted.add(stream(layer).name());
        }
        Map<String, Value> seeds = new LinkedHashMap<>();
        segment.results()
                .forEach(result ->
                        seeds.put(result.name(), new Value(SEED + result.name(), ElementType.FLOAT, result.shape())));
        return backward(Differentiation.of(segment.forward(), seeds, wanted, new HashSet<>(lowering.detached())), kept);
    }

    /** The sums that the products of a segment with weights end in, other than its results. */
    List<Value> sums(Segment segment) {
        Graph forward = segment.forward();
        Set<String> results = new HashSet<>();
        segment.results().forEach(result -> results.add(result.name()));
        Map<String, List<Node>> readers = new HashMap<>();
        forward.nodes()
                .forEach(node -> node.reads()
                        .forEach(name -> readers.computeIfAbsent(name, key -> new ArrayList<>())
                                .add(node)));
        Map<String, Value> sums = new LinkedHashMap<>();
        for (Node node : forward.nodes()) {
            boolean product = PRODUCTS.contains(node.operator())
                    && node.inputs().stream()
                            .anyMatch(name -> graph.weight(name)
                                    .filter(ModelGraphs::isInput)
                                    .isPresent());
            if (product) {
                Value sum = sum(forward.value(node.output(0)), forward, readers);
                if (sum.shape().isRanked() && !results.contains(sum.name())) {
                    sums.put(sum.name(), floats(sum));
                }
            }
        }
        return List.copyOf(sums.values());
    }

    private static Value sum(Value product, Graph graph, Map<String, List<Node>> readers) {
        Value sum = product;
        while (true) {
            List<Node> next = readers.getOrDefault(sum.name(), List.of());
            if (next.size() != 1 || !next.get(0).operator().equals("Add")) {
                return sum;
            }
            Value added = graph.value(next.get(0).output(0));
            if (!added.shape().equals(sum.shape())) {
                return sum;
            }
            sum = added;
        }
    }

    /** A segment that also gives values that are kept. */
    Graph forward(int layer, Segment segment, List<Value> kept) {
        List<Value> results = new ArrayList<>(segment.results());
        results.addAll(kept);
        return cut(List.of(stream(layer)), results);
    }

    /** The cut of the gradients. */
    static Backward backward(Gradients gradients) {
        return backward(gradients, List.of());
    }

    /** The cut of the gradients. One that is another's, or an input, is copied: an output has a name of its own. */
    private static Backward backward(Gradients gradients, List<Value> kept) {
        return backward(gradients, kept, List.of());
    }

    private static Backward backward(Gradients gradients, List<Value> kept, List<Value> also) {
        GraphBuilder builder = GraphBuilder.from(gradients.graph());
        Set<String> taken = new HashSet<>();
        gradients.graph().inputs().forEach(input -> taken.add(input.name()));
        Map<String, Value> of = new LinkedHashMap<>();
        for (Map.Entry<String, Value> entry : new TreeMap<>(gradients.of()).entrySet()) {
            Value gradient = floats(entry.getValue());
            if (!taken.add(gradient.name())) {
                gradient = floats(builder.op("Identity", "copy." + entry.getKey(), gradient));
            }
            of.put(entry.getKey(), gradient);
        }
        List<Value> outputs = new ArrayList<>(of.values());
        also.forEach(value -> outputs.add(floats(value)));
        Graph cut = GraphCut.between(builder.build(), kept, outputs);
        Set<String> read = new HashSet<>();
        cut.inputs().forEach(input -> read.add(input.name()));
        return new Backward(
                cut,
                of,
                kept.stream().filter(value -> read.contains(value.name())).toList());
    }

    /** From the stream after the last layer to the measures of tokens. */
    Graph headForward(List<Value> measures) {
        return cut(List.of(stream(layers)), measures);
    }

    /**
     * The gradients of the head with respect to the stream and the trained inputs.
     *
     * @param gradient dL/d{@link HeadGraph#rows()}
     * @param measures are computed with them
     */
    Backward headBackward(Value gradient, List<Value> measures) {
        List<Value> results = new ArrayList<>(List.of(head.rows(), gradient));
        results.addAll(measures);
        Graph forward = cut(List.of(stream(layers)), results);
        Set<String> wanted = new LinkedHashSet<>(List.of(stream(layers).name()));
        trained(forward).forEach(input -> wanted.add(input.name()));
        Gradients gradients = Differentiation.of(forward, Map.of(head.rows().name(), gradient), wanted, Set.of());
        return backward(gradients, List.of(), measures);
    }
}
