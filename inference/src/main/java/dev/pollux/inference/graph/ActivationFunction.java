package dev.pollux.inference.graph;

import dev.pollux.UnsupportedModelException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The activation functions of transformers as ONNX operators, by their configuration names ({@code ACT2FN}). Functions with
 * trained parameters are not supported. <em>Immutable.</em>
 */
public final class ActivationFunction {

    /** Writes the function of x into a graph, as {@code output}; returns the result. */
    @FunctionalInterface
    private interface Formula {
        Value write(GraphBuilder graph, Value x, String output);
    }

    private static final Map<String, Formula> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("elu", plain("Elu", Map.of())),
            Map.entry("gelu", gelu("none")),
            Map.entry("gelu_10", (g, x, y) -> clipped(g, gelu("none").write(g, x, y + ".gelu"), y, -10, 10)),
            Map.entry("gelu_accurate", gelu("tanh")),
            Map.entry("gelu_fast", gelu("tanh")),
            Map.entry("gelu_new", gelu("tanh")),
            Map.entry("gelu_python", gelu("none")),
            Map.entry("gelu_python_tanh", gelu("tanh")),
            Map.entry("gelu_pytorch_tanh", gelu("tanh")),
            Map.entry("hardswish", plain("HardSwish", Map.of())),
            Map.entry("laplace", ActivationFunction::laplace),
            Map.entry("leaky_relu", plain("LeakyRelu", Map.of("alpha", 0.01f))),
            Map.entry("linear", (g, x, y) -> x),
            Map.entry("mish", plain("Mish", Map.of())),
            Map.entry("quick_gelu", (g, x, y) -> quick(g, x, y, 1.702)),
            Map.entry("relu", plain("Relu", Map.of())),
            Map.entry("relu2", ActivationFunction::squared),
            Map.entry("relu6", (g, x, y) -> clipped(g, x, y, 0, 6)),
            Map.entry("sigmoid", plain("Sigmoid", Map.of())),
            Map.entry("silu", ActivationFunction::silu),
            Map.entry("sqrtsoftplus", (g, x, y) -> one(g, "Sqrt", y, one(g, "Softplus", y + ".softplus", x))),
            Map.entry("swish", ActivationFunction::silu),
            Map.entry("tanh", plain("Tanh", Map.of()))));

    private final Formula formula;

    private ActivationFunction(Formula formula) {
        this.formula = formula;
    }

    /** The function with the configuration name {@code name}; empty if there is none. */
    public static Optional<ActivationFunction> named(String name) {
        return Optional.ofNullable(KNOWN.get(name)).map(ActivationFunction::new);
    }

    /**
     * The function with the configuration name {@code name}; {@code source} is named in the error.
     *
     * @throws UnsupportedModelException if there is none; the message lists the supported names
     */
    public static ActivationFunction of(String name, String source) {
        return named(name)
                .orElseThrow(() -> new UnsupportedModelException(
                        source + ": the activation '" + name + "' is not supported, only " + names()));
    }

    /** The names accepted by {@link #named}. */
    public static SortedSet<String> names() {
        return new TreeSet<>(KNOWN.keySet());
    }

    /**
     * Writes the function into {@code graph}.
     *
     * @param x of any shape
     * @param output the name of the result and the prefix of intermediate names
     * @return the result; x itself for the identity
     */
    public Value write(GraphBuilder graph, Value x, String output) {
        return formula.write(graph, x, output);
    }

    private static Formula plain(String operator, Map<String, ?> attributes) {
        return (graph, x, output) -> graph.op(operator, output, List.of(x), attributes);
    }

    /** GELU (Hendrycks and Gimpel, arXiv:1606.08415), exact by erf or approximated by tanh. */
    private static Formula gelu(String approximation) {
        return plain("Gelu", Map.of("approximate", approximation));
    }

    /** x · sigmoid(factor · x). */
    private static Value quick(GraphBuilder graph, Value x, String output, double factor) {
        Value scaled =
                graph.op("Mul", output + ".scaled", List.of(x, number(graph, output + ".factor", factor)), Map.of());
        Value gate = one(graph, "Sigmoid", output + ".sigmoid", scaled);
        return graph.op("Mul", output, List.of(x, gate), Map.of());
    }

    private static Value silu(GraphBuilder graph, Value x, String output) {
        return graph.op("Mul", output, List.of(x, one(graph, "Sigmoid", output + ".sigmoid", x)), Map.of());
    }

    private static Value squared(GraphBuilder graph, Value x, String output) {
        Value positive = one(graph, "Relu", output + ".relu", x);
        return graph.op("Mul", output, List.of(positive, positive), Map.of());
    }

    private static Value clipped(GraphBuilder graph, Value x, String output, double least, double most) {
        Value atLeast = graph.op("Max", output + ".low", List.of(x, number(graph, output + ".least", least)), Map.of());
        return graph.op("Min", output, List.of(atLeast, number(graph, output + ".most", most)), Map.of());
    }

    /** (1 + erf((x − μ) / (σ √2))) / 2 with μ = √½ and σ = 0.282095 (MEGA, Ma et al., arXiv:2209.10655). */
    private static Value laplace(GraphBuilder graph, Value x, String output) {
        Value mean = number(graph, output + ".mean", 0.707107);
        Value centred = graph.op("Sub", output + ".centred", List.of(x, mean), Map.of());
        Value spread = number(graph, output + ".spread", 0.282095 * Math.sqrt(2));
        Value scaled = graph.op("Div", output + ".scaled", List.of(centred, spread), Map.of());
        Value erf = one(graph, "Erf", output + ".erf", scaled);
        Value sum = graph.op("Add", output + ".sum", List.of(erf, number(graph, output + ".one", 1)), Map.of());
        return graph.op("Mul", output, List.of(sum, number(graph, output + ".half", 0.5)), Map.of());
    }

    private static Value one(GraphBuilder graph, String operator, String output, Value x) {
        return graph.op(operator, output, List.of(x), Map.of());
    }

    private static Value number(GraphBuilder graph, String name, double value) {
        return graph.floats(name, () -> new float[] {(float) value}, 1);
    }
}
