package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.encoder.EncoderTexts;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape.Dim;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.int8.Calibration.Measured;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import dev.pollux.quantization.QuantizedLayer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/** What the methods {@code int8} and {@code int8-static} do with a graph. <em>Confined to one thread.</em> */
public final class Int8Plan {

    private final Graph graph;
    private final QuantizationRecipe recipe;
    private final String source;
    private final Predicate<String> readable;
    private final WeightReaders readers;
    private final Set<Rule> matched = new LinkedHashSet<>();
    private List<IntegerWeight> weights;
    private final List<KeptWeight> kept = new ArrayList<>();

    private Int8Plan(Graph graph, QuantizationRecipe recipe, String source, Predicate<String> readable) {
        this.graph = graph;
        this.recipe = recipe;
        this.source = source;
        this.readable = readable;
        this.readers = new WeightReaders(graph);
        this.weights = isStatic()
                ? statics(graph).constants()
                : DynamicInt8.quantizeByRows(graph, WeightForm.DEFAULT, this::isKept)
                        .weights();
        Set<String> done = new HashSet<>();
        weights.forEach(weight -> done.add(weight.weight().name()));
        graph.weights().stream()
                .filter(weight -> !done.contains(weight.name()) && isMatrix(weight))
                .forEach(this::keep);
    }

    /**
     * Plans a graph; weights are not read.
     *
     * @param source names the graph in messages
     * @param readable whether texts give the values of an activation; products with other inputs have no range
     * @throws IllegalArgumentException if there is no weight to quantize, a rule matches none, or the graph's opset lacks the
     *     operators
     */
    public static Int8Plan of(Graph graph, QuantizationRecipe recipe, String source, Predicate<String> readable) {
        Int8Plan plan = new Int8Plan(graph, recipe, source, readable);
        plan.check();
        return plan;
    }

    private boolean isStatic() {
        return recipe.method() == QuantizationMethod.INT8_STATIC;
    }

    private StaticInt8 statics(Graph floats) {
        return StaticInt8.plan(floats, WeightForm.DEFAULT, ActivationForm.DEFAULT, StaticScope.WEIGHTS, this::isKept);
    }

    private static boolean isMatrix(Weight weight) {
        boolean floating = weight.type().isFloating() || weight.type() == ElementType.DOUBLE;
        return floating && weight.shape().rank() > 1 && weight.elements() > 1;
    }

    private Optional<Rule> rule(Weight weight) {
        List<String> names = new ArrayList<>(List.of(weight.name()));
        for (Node node : readers.of(weight.name())) {
            names.add(node.name());
            names.add(node.output(0));
        }
        Optional<Rule> rule = recipe.rule(names);
        rule.ifPresent(matched::add);
        return rule;
    }

    private boolean isKept(Weight weight) {
        return rule(weight).isPresent() || isStatic() && isUnread(weight);
    }

    /** Whether a product with the weight has an input that texts do not give. */
    private boolean isUnread(Weight weight) {
        return readers.of(weight.name()).stream()
                .anyMatch(node -> node.input(1).equals(weight.name()) && !readable.test(node.input(0)));
    }

    private void keep(Weight weight) {
        List<Long> shape = weight.shape().dims().stream().map(Dim::factor).toList();
        kept.add(new KeptWeight(weight.name(), shape, weight.bytes(), reason(weight)));
    }

    private String reason(Weight weight) {
        Optional<Rule> rule = rule(weight);
        if (rule.isPresent()) {
            return "the rule '" + rule.get().pattern() + "' keeps it";
        }
        if (isStatic() && isUnread(weight)) {
            return "its inputs are not measured layer by layer";
        }
        if (weight.type() != ElementType.FLOAT) {
            return "it has no 32-bit floats but " + weight.type();
        }
        if (readers.isInBranch(weight.name())) {
            return "a branch of the graph reads it";
        }
        if (readers.constant(weight.name()).isEmpty()) {
            return "it is an input or output of the graph";
        }
        List<Node> nodes = readers.of(weight.name());
        return nodes.isEmpty()
                ? "nothing reads it"
                : nodes.get(0).operator() + " has no form with 8-bit integers for it";
    }

    /** The operators on integers are younger than others: scales of channels, and ranges of a run. */
    private void checkOpset() {
        long needed = isStatic() ? 13 : 11;
        long version = graph.opset("").orElse(needed);
        if (version < needed) {
            throw new IllegalArgumentException(
                    "The method " + recipe.method().text() + " needs opset " + needed + " but "
                            + source + " has opset " + version
                            + (isStatic() && version >= 11 ? "; use int8, or export" : "; export")
                            + " the model with a newer opset");
        }
    }

    private void check() {
        checkOpset();
        for (Rule rule : recipe.rules()) {
            if (!matched.contains(rule)) {
                throw new IllegalArgumentException("The rule '" + rule.pattern() + "' matches no weight of " + source
                        + " that could be quantized; * stands for any characters, and weights have names such as "
                        + weights.stream()
                                .map(weight -> weight.weight().name())
                                .findFirst()
                                .orElse("none"));
            }
        }
        if (weights.isEmpty()) {
            throw new IllegalArgumentException(source + " has no weight to quantize: " + reasons());
        }
    }

    private String reasons() {
        if (kept.isEmpty()) {
            return "no float weight of two dimensions; models that are quantized already cannot be quantized again";
        }
        KeptWeight first = kept.get(0);
        return kept.size() + " float weights stay as they are, such as " + first.name() + ": " + first.reason();
    }

    /** The quantized weights, in the order of their first readers, without errors. */
    public List<QuantizedLayer> layers() {
        return layers(weight -> OptionalDouble.empty());
    }

    /** The quantized weights with their errors; reads all of them. */
    public List<QuantizedLayer> measuredLayers() {
        return layers(weight -> OptionalDouble.of(weight.relativeError()));
    }

    private List<QuantizedLayer> layers(Function<IntegerWeight, OptionalDouble> error) {
        return weights.stream()
                .map(weight -> new QuantizedLayer(
                        weight.weight().name(),
                        readers.of(weight.weight().name()).stream()
                                .map(Node::operator)
                                .distinct()
                                .toList(),
                        weight.weight().shape().dims().stream().map(Dim::factor).toList(),
                        recipe.method(),
                        8,
                        0,
                        weight.format().symmetric(),
                        weight.weight().bytes(),
                        weight.bytes(),
                        error.apply(weight)))
                .toList();
    }

    /** The weights of at least two dimensions that stay in float, with reasons. */
    public List<KeptWeight> kept() {
        return List.copyOf(kept);
    }

    /** Bytes of all weights of the graph. */
    public long bytesBefore() {
        return graph.weights().stream().mapToLong(Weight::bytes).sum();
    }

    /** Bytes of all weights of the result. */
    public long bytesAfter() {
        Map<String, Long> gone = new LinkedHashMap<>();
        weights.forEach(
                weight -> gone.put(weight.weight().name(), weight.weight().bytes()));
        long codes = weights.stream().mapToLong(IntegerWeight::bytes).sum();
        return bytesBefore() - gone.values().stream().mapToLong(Long::longValue).sum() + codes;
    }

    /** Whether {@link #rewritten} runs the float model over texts. */
    public static boolean needsTexts(QuantizationRecipe recipe) {
        return recipe.method() == QuantizationMethod.INT8_STATIC || recipe.smoothing() > 0;
    }

    /**
     * Runs of the whole graph over texts.
     *
     * @param model the file whose folder has the graph's external data
     * @param threads of a run
     * @throws dev.pollux.UnsupportedModelException if the graph has inputs that texts do not give
     */
    public ActivationRuns runs(Path model, EncoderTexts texts, int threads) {
        return new GraphRuns(graph, model, threads, TextInputs.of(graph, texts, source));
    }

    /**
     * The quantized graph; its weights are read when it is written.
     *
     * @param runs of the float model, if texts are needed
     * @param journal has what an earlier run wrote
     * @param context receives the progress in inputs, then in bytes of weights
     */
    public Graph rewritten(Optional<ActivationRuns> runs, CodeJournal journal, JobContext context) {
        if (!needsTexts(recipe)) {
            return observed(dynamic(graph), journal, context);
        }
        Calibration calibration = new Calibration(runs.orElseThrow(), RangeMethod.of(recipe.range()));
        Graph floats = graph;
        Function<String, Measured> measure = Measured::of;
        if (recipe.smoothing() > 0) {
            Smoothing smoothing = Smoothing.of(graph, weight -> isKept(weight) || isUnread(weight));
            smoothing.choose(calibration.magnitudes(smoothing.widths(), context), recipe.smoothing());
            floats = smoothing.graph();
            measure = smoothing::measured;
        }
        if (!isStatic()) {
            return observed(dynamic(floats), journal, context);
        }
        StaticInt8 statics = statics(floats);
        Map<String, Measured> values = new LinkedHashMap<>();
        for (String value : statics.measured()) {
            values.put(value, measure.apply(value));
        }
        return observed(statics.quantize(calibration.ranges(values, context)), journal, context);
    }

    private Quantized dynamic(Graph floats) {
        return DynamicInt8.quantizeByRows(floats, WeightForm.DEFAULT, this::isKept);
    }

    private Graph observed(Quantized quantized, CodeJournal journal, JobContext context) {
        weights = quantized.weights();
        long all = weights.stream().mapToLong(weight -> weight.weight().bytes()).sum();
        long[] done = new long[1];
        weights.forEach(weight -> {
            weight.resume(journal);
            weight.onCoded(bytes -> {
                context.checkCancelled();
                done[0] += bytes;
                context.progress("quantize", done[0], all, "bytes");
            });
        });
        return quantized.graph();
    }
}
