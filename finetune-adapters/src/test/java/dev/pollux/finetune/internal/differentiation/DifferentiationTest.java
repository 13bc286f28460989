package dev.pollux.finetune.internal.differentiation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.testkit.NoLeaks;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rule gives the derivative that differences of the function give. */
@NoLeaks
class DifferentiationTest {

    /** Central differences of 32-bit floats. */
    private static final double TOLERANCE = 5e-3;

    private static final Map<String, GradientCheck> CASES = cases();

    private static Map<String, GradientCheck> cases() {
        Map<String, GradientCheck> all = new TreeMap<>();
        elementwise(all);
        attention(all);
        products(all);
        reductions(all);
        shapes(all);
        indices(all);
        return all;
    }

    private static GradientCheck check(String operator, Map<String, ?> attributes, double low, double high) {
        return new GradientCheck(
                List.of(new long[] {3, 4}), low, high, (g, x) -> g.op(operator, "y", List.of(x.get(0)), attributes));
    }

    private static void attention(Map<String, GradientCheck> all) {
        long[] tokens = {3, 5, 8};
        Map<String, ?> attributes = Map.of("num_heads", 2, "scale", 0.4f, "mask_filter_value", -1e30f);
        all.put(
                "MultiHeadAttention",
                new GradientCheck(
                        List.of(tokens, tokens, tokens, new long[] {3, 2, 5, 5}),
                        -1,
                        1,
                        (g, x) -> g.fused(
                                "MultiHeadAttention",
                                "y",
                                List.of(x.get(0), x.get(1), x.get(2), Value.NONE, Value.NONE, x.get(3)),
                                attributes)));
        all.put(
                "GatherND of rows",
                new GradientCheck(
                        List.of(tokens),
                        -1,
                        1,
                        (g, x) -> g.op(
                                "GatherND",
                                "y",
                                List.of(
                                        x.get(0),
                                        g.op(
                                                "Reshape",
                                                "index",
                                                g.integers("which", 4, 0, 4),
                                                g.integers("sizes", 3, 1))),
                                Map.of("batch_dims", 1))));
    }

    private static void elementwise(Map<String, GradientCheck> all) {
        for (String operator :
                List.of("Neg", "Exp", "Sin", "Cos", "Tanh", "Sigmoid", "Erf", "Gelu", "Softplus", "Mish", "Identity")) {
            all.put(operator, check(operator, Map.of(), -2, 2));
        }
        for (String operator : List.of("Sqrt", "Reciprocal", "Log")) {
            all.put(operator, check(operator, Map.of(), 0.5, 2));
        }
        all.put("Gelu tanh", check("Gelu", Map.of("approximate", "tanh"), -2, 2));
        for (String operator : List.of("Abs", "Relu", "HardSwish")) { // on either side of the bend
            all.put(operator, check(operator, Map.of(), 0.1, 2));
            all.put(operator + " negative", check(operator, Map.of(), -2, -0.1));
        }
        all.put("HardSwish beyond", check("HardSwish", Map.of(), 3.1, 5));
        all.put("LeakyRelu", check("LeakyRelu", Map.of("alpha", 0.2f), 0.1, 2));
        all.put("LeakyRelu negative", check("LeakyRelu", Map.of("alpha", 0.2f), -2, -0.1));
        all.put("Elu", check("Elu", Map.of("alpha", 1.5f), 0.1, 2));
        all.put("Elu negative", check("Elu", Map.of("alpha", 1.5f), -2, -0.1));
        all.put("Softmax", check("Softmax", Map.of("axis", -1), -2, 2));
        all.put("LogSoftmax", check("LogSoftmax", Map.of("axis", -1), -2, 2));
        all.put("Cast", check("Cast", Map.of("to", 1), -2, 2));
        all.put(
                "QuickGelu",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -2,
                        2,
                        (g, x) -> g.fused("QuickGelu", "y", x, Map.of("alpha", 1.702f))));
        all.put(
                "QuickGelu of SiLU",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -2,
                        2,
                        (g, x) -> g.fused("QuickGelu", "y", x, Map.of("alpha", 1f))));
        all.put(
                "Pow",
                new GradientCheck(
                        List.of(new long[] {3, 4}), 0.5, 2, (g, x) -> g.op("Pow", "y", x.get(0), number(g, 2.5))));
        all.put(
                "Clip",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -0.9,
                        0.9,
                        (g, x) -> g.op(
                                "Clip",
                                "y",
                                x.get(0),
                                g.op("Squeeze", "low", number(g, -1)),
                                g.op("Squeeze", "high", g.op("Neg", "most", number(g, -1, "n"))))));
        for (String operator : List.of("Add", "Sub", "Mul", "Div")) {
            all.put(operator, binary(operator, new long[] {3, 4}, new long[] {3, 4}));
            all.put(operator + " of a vector", binary(operator, new long[] {2, 3, 4}, new long[] {4}));
            all.put(operator + " of columns", binary(operator, new long[] {3, 1}, new long[] {2, 1, 4}));
        }
        for (String operator : List.of("Max", "Min")) {
            all.put(
                    operator,
                    new GradientCheck(
                            List.of(new long[] {3, 4}, new long[] {3, 4}),
                            1,
                            2,
                            (g, x) -> g.op(
                                    operator, "y", x.get(0), g.op("Sub", "far", x.get(1), vector(g, 2, -2, 2, -2)))));
        }
        all.put(
                "Where",
                new GradientCheck(
                        List.of(new long[] {3, 4}, new long[] {4}),
                        -1,
                        1,
                        (g, x) -> g.op(
                                "Where",
                                "y",
                                g.op("Greater", "c", vector(g, 1, -1, 1, -1), number(g, 0)),
                                x.get(0),
                                x.get(1))));
    }

    private static GradientCheck binary(String operator, long[] a, long[] b) {
        return new GradientCheck(List.of(a, b), 0.5, 2, (g, x) -> g.op(operator, "y", x.get(0), x.get(1)));
    }

    private static Value number(GraphBuilder g, double value) {
        return number(g, value, "");
    }

    private static Value number(GraphBuilder g, double value, String suffix) {
        return g.floats("number" + suffix, () -> new float[] {(float) value}, 1);
    }

    private static Value vector(GraphBuilder g, float... values) {
        return g.floats("vector", () -> values, values.length);
    }

    private static void products(Map<String, GradientCheck> all) {
        all.put("MatMul", product("MatMul", Map.of(), new long[] {3, 4}, new long[] {4, 2}));
        all.put("MatMul of a matrix", product("MatMul", Map.of(), new long[] {2, 3, 4}, new long[] {4, 2}));
        all.put("MatMul of batches", product("MatMul", Map.of(), new long[] {2, 3, 4}, new long[] {2, 4, 2}));
        all.put("MatMul broadcast", product("MatMul", Map.of(), new long[] {1, 3, 4}, new long[] {2, 4, 2}));
        for (int turned = 0; turned < 4; turned++) {
            boolean a = turned % 2 == 1;
            boolean b = turned > 1;
            Map<String, ?> attributes = Map.of("transA", a ? 1 : 0, "transB", b ? 1 : 0, "alpha", 1.5f);
            long[] first = a ? new long[] {4, 3} : new long[] {3, 4};
            long[] second = b ? new long[] {2, 4} : new long[] {4, 2};
            all.put("FusedMatMul " + a + b, product("FusedMatMul", attributes, wide(first), wide(second)));
            all.put("FusedMatMul of a matrix " + a + b, product("FusedMatMul", attributes, wide(first), second));
            all.put("Gemm " + a + b, product("Gemm", attributes, first, second));
        }
        all.put(
                "Gemm with C",
                new GradientCheck(
                        List.of(new long[] {3, 4}, new long[] {4, 2}, new long[] {2}),
                        -1,
                        1,
                        (g, x) -> g.op("Gemm", "y", x, Map.of("beta", 0.5f))));
    }

    private static long[] wide(long... shape) {
        return new long[] {2, shape[0], shape[1]};
    }

    private static GradientCheck product(String operator, Map<String, ?> attributes, long[] a, long[] b) {
        boolean fused = operator.equals("FusedMatMul");
        return new GradientCheck(
                List.of(a, b),
                -1,
                1,
                (g, x) -> fused ? g.fused(operator, "y", x, attributes) : g.op(operator, "y", x, attributes));
    }

    private static void reductions(Map<String, GradientCheck> all) {
        for (int keep = 0; keep < 2; keep++) {
            Map<String, ?> attributes = Map.of("keepdims", keep);
            for (String operator : List.of("ReduceSum", "ReduceMean", "ReduceMax")) {
                all.put(
                        operator + " " + keep,
                        new GradientCheck(
                                List.of(new long[] {3, 4, 2}),
                                -2,
                                2,
                                (g, x) ->
                                        g.op(operator, "y", List.of(x.get(0), g.integers("axes", 1, -1)), attributes)));
            }
        }
        all.put(
                "SimplifiedLayerNormalization",
                new GradientCheck(
                        List.of(new long[] {3, 4}, new long[] {4}),
                        -2,
                        2,
                        (g, x) -> g.op(
                                "SimplifiedLayerNormalization",
                                "y",
                                x,
                                Map.of("axis", -1, "epsilon", 1e-3f, "stash_type", 1))));
        all.put(
                "LayerNormalization",
                new GradientCheck(
                        List.of(new long[] {3, 4}, new long[] {4}, new long[] {4}),
                        -2,
                        2,
                        (g, x) -> g.op("LayerNormalization", "y", x, Map.of("axis", -1, "epsilon", 1e-3f))));
        all.put(
                "CumSum",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("CumSum", "y", x.get(0), g.op("Squeeze", "axis", g.integers("axes", 1)))));
    }

    private static void shapes(Map<String, GradientCheck> all) {
        all.put("Transpose", check("Transpose", Map.of("perm", List.of(1, 0)), -1, 1));
        all.put(
                "Reshape",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("Reshape", "y", x.get(0), g.integers("sizes", 0, 2, 2))));
        all.put(
                "Unsqueeze",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("Unsqueeze", "y", x.get(0), g.integers("axes", 1))));
        all.put(
                "Squeeze",
                new GradientCheck(
                        List.of(new long[] {3, 1, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("Squeeze", "y", x.get(0), g.integers("axes", 1))));
        all.put(
                "Concat",
                new GradientCheck(
                        List.of(new long[] {3, 4}, new long[] {3, 2}),
                        -1,
                        1,
                        (g, x) -> g.op("Concat", "y", x, Map.of("axis", -1))));
        all.put("Split", new GradientCheck(List.of(new long[] {3, 4}), -1, 1, (g, x) -> {
            List<Value> parts = g.node(
                    "Split",
                    "",
                    List.of(x.get(0), g.integers("sizes", 1, 2, 1)),
                    List.of("a", "b", "c"),
                    Map.of("axis", -1));
            return g.op("Mul", "y", parts.get(0), parts.get(1)); // nothing reads the last
        }));
        all.put(
                "Pad",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("Pad", "y", x.get(0), g.integers("pads", 0, 1, 0, 2))));
        all.put(
                "Slice",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.declared(
                                g.op(
                                        "Slice",
                                        "y",
                                        x.get(0),
                                        g.integers("from", 1),
                                        g.integers("to", -1),
                                        g.integers("axes", 1)),
                                3,
                                2)));
        all.put(
                "Expand",
                new GradientCheck(
                        List.of(new long[] {3, 1}),
                        -1,
                        1,
                        (g, x) -> g.op("Expand", "y", x.get(0), g.integers("sizes", 2, 3, 4))));
        all.put("RotaryEmbedding", rotary(0, 0));
        all.put("RotaryEmbedding interleaved", rotary(0, 1));
        all.put("RotaryEmbedding of a part", rotary(4, 0));
    }

    private static GradientCheck rotary(int turned, int interleaved) {
        int pairs = turned == 0 ? 3 : turned / 2;
        return new GradientCheck(List.of(new long[] {1, 3, 12}), -1, 1, (g, x) -> {
            float[] angles = new float[5 * pairs];
            for (int i = 0; i < angles.length; i++) {
                angles[i] = i * 0.7f;
            }
            Value angle = g.floats("angle", () -> angles, 5, pairs);
            Map<String, Object> attributes =
                    new TreeMap<>(Map.of("num_heads", 2, "rotary_embedding_dim", turned, "interleaved", interleaved));
            return g.fused(
                    "RotaryEmbedding",
                    "y",
                    List.of(x.get(0), g.integers("first", 1), g.op("Cos", "cos", angle), g.op("Sin", "sin", angle)),
                    attributes);
        });
    }

    private static Value indices(GraphBuilder g, long[] values, Long... shape) {
        return g.op("Reshape", "indices", g.integers("flat", values), g.integers("shape", longs(shape)));
    }

    private static long[] longs(Long... values) {
        return Arrays.stream(values).mapToLong(Long::longValue).toArray();
    }

    private static void indices(Map<String, GradientCheck> all) {
        all.put(
                "Gather",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op(
                                "Gather", "y", List.of(x.get(0), g.integers("rows", 2, 0, 2)), Map.of("axis", 0))));
        all.put(
                "GatherElements",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op(
                                "GatherElements",
                                "y",
                                List.of(x.get(0), indices(g, new long[] {1, 1, 3, 0, 2, 0}, 3L, 2L)),
                                Map.of("axis", 1))));
        all.put(
                "GatherND",
                new GradientCheck(
                        List.of(new long[] {3, 4}),
                        -1,
                        1,
                        (g, x) -> g.op("GatherND", "y", x.get(0), indices(g, new long[] {2, 0, 2}, 3L, 1L))));
        for (String reduction : List.of("none", "add")) {
            all.put(
                    "ScatterElements " + reduction,
                    new GradientCheck(
                            List.of(new long[] {3, 4}, new long[] {3, 2}),
                            -1,
                            1,
                            (g, x) -> g.op(
                                    "ScatterElements",
                                    "y",
                                    List.of(x.get(0), indices(g, new long[] {1, 2, 3, 0, 2, 0}, 3L, 2L), x.get(1)),
                                    Map.of("axis", 1, "reduction", reduction))));
            all.put(
                    "ScatterND " + reduction,
                    new GradientCheck(
                            List.of(new long[] {3, 4}, new long[] {2, 4}),
                            -1,
                            1,
                            (g, x) -> g.op(
                                    "ScatterND",
                                    "y",
                                    List.of(x.get(0), indices(g, new long[] {2, 0}, 2L, 1L), x.get(1)),
                                    Map.of("reduction", reduction))));
        }
        all.put("TopK", new GradientCheck(List.of(new long[] {3, 4}), -1, 1, (g, x) -> {
            Value spread = g.op("Add", "spread", x.get(0), vector(g, 0, 8, 4, 12));
            return g.node("TopK", "", List.of(spread, g.integers("k", 2)), List.of("y", "at"), Map.of("axis", -1))
                    .get(0);
        }));
    }

    static Set<String> names() {
        return CASES.keySet();
    }

    @ParameterizedTest
    @MethodSource("names")
    void gradientsAreThoseOfDifferences(String name) throws Exception {
        long seed = name.hashCode();
        assertThat(CASES.get(name).error(seed, false))
                .as("%s, seed %d", name, seed)
                .isLessThan(TOLERANCE);
    }

    /** Without those that state all sizes as numbers. */
    static Stream<String> namesOfOpenSizes() {
        return names().stream().filter(name -> !name.startsWith("Expand") && !name.startsWith("ScatterElements"));
    }

    @ParameterizedTest
    @MethodSource("namesOfOpenSizes")
    void gradientsAreThoseOfDifferencesIfTheRunDecidesOnASize(String name) throws Exception {
        long seed = name.hashCode();
        assertThat(CASES.get(name).error(seed, true))
                .as("%s, seed %d", name, seed)
                .isLessThan(TOLERANCE);
    }

    @Test
    void everyRuleIsChecked() {
        Set<String> checked = new TreeSet<>();
        CASES.keySet().forEach(name -> checked.add(name.split(" ")[0]));
        assertThat(checked).isEqualTo(new TreeSet<>(Rules.operators()));
    }

    @Test
    void anInputThatIsReadTwiceGetsTheSum() throws Exception {
        GradientCheck square = new GradientCheck(
                List.of(new long[] {3, 4}), -1, 1, (g, x) -> g.op("Mul", "y", x.get(0), g.op("Tanh", "t", x.get(0))));
        assertThat(square.error(1, false)).isLessThan(TOLERANCE);
    }

    private static Graph graph(String operator) {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, 2, 3);
        g.declared(g.op("Tanh", "y", g.declared(g.op(operator, "inner", x), 2, 3)), 2, 3);
        return g.build();
    }

    private static Gradients gradients(Graph graph, Set<String> detached) {
        Value seed = new Value("dy", ElementType.FLOAT, graph.value("y").shape());
        return Differentiation.of(graph, Map.of("y", seed), Set.of("x"), detached);
    }

    @Test
    void anOperatorWithoutARuleIsNamed() {
        Graph graph = graph("Acosh");
        assertThatThrownBy(() -> gradients(graph, Set.of()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The operator Acosh of Acosh(x) → inner has no rule for its gradient; rules exist for "
                        + String.join(", ", Rules.operators())
                        + "; train a model without it, or choose targets above it");
    }

    @Test
    void anAttributeThatARuleDoesNotCoverIsNamed() {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, 2, 3);
        g.op("Gather", "y", List.of(x, g.integers("rows", 1)), Map.of("axis", 1));
        Graph graph = g.build();
        assertThatThrownBy(() -> gradients(graph, Set.of()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "Cannot differentiate Gather(x, rows) → y: its axis is not the first; train a model whose layers"
                                + " do without it, or detach the value");
    }

    @Test
    void aDetachedValuePassesNoGradient() {
        assertThat(gradients(graph("Exp"), Set.of("inner")).of()).isEmpty();
    }

    @Test
    void aValueOnWhichNothingDependsHasNoGradient() {
        Gradients none = gradients(graph("Exp"), Set.of("inner"));
        assertThatThrownBy(() -> none.of("x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no seeded value depends on x");
    }

    /** Of a frozen matrix, which is as large as the product itself. */
    @Test
    void noGradientIsComputedThatIsNotWanted() {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, 2, 3);
        Value frozen = g.input("w", ElementType.FLOAT, 3, 4);
        g.op("MatMul", "y", x, frozen);
        Graph forward = g.build();
        assertThat(gradients(forward, Set.of()).graph().nodes().stream().skip(1))
                .singleElement()
                .satisfies(node -> assertThat(node.input(1)).isEqualTo("w"));
        assertThat(Stream.of(gradients(forward, Set.of()).graph().inputs()).flatMap(List::stream))
                .extracting(Value::name)
                .containsExactly("x", "w", "dy");
    }
}
