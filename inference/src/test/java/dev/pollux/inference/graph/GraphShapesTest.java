package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Shapes of values, as operators give and check them. */
class GraphShapesTest {

    private final GraphBuilder graph = GraphBuilder.create();

    private Value input(String name, Object... dims) {
        return graph.input(name, ElementType.FLOAT, dims);
    }

    private Value weight(String name, long... shape) {
        return graph.floats(name, () -> new float[(int) Shape.of(shape).elements()], shape);
    }

    private static String shown(Value value) {
        return value.type() + " " + value.shape();
    }

    @Test
    void aProductOfMatricesThatDoNotFitNamesOperatorResultAndBothShapes() {
        Value x = input("x", 1, "S", 64);
        Value w = weight("w", 48, 96);
        assertThatThrownBy(() -> graph.op("MatMul", "layers.0.qkv", x, w))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("MatMul layers.0.qkv: [1, S, 64] and [48, 96] do not fit:"
                        + " the last dimension of the first must be the last but one of the second");
        assertThat(shown(graph.op("MatMul", "y", x, weight("w2", 64, 96)))).isEqualTo("FLOAT [1, S, 96]");
    }

    @Test
    void elementwiseOperatorsSpreadWhatIsOne() {
        Value x = input("x", 1, "S", 64);
        assertThat(shown(graph.op("Add", "a", x, weight("one", 1)))).isEqualTo("FLOAT [1, S, 64]");
        assertThat(shown(graph.op("Mul", "b", x, input("heads", 3, 1, 1, 64)))).isEqualTo("FLOAT [3, 1, S, 64]");
        assertThat(shown(graph.op("Greater", "c", x, weight("zero", 1)))).isEqualTo("BOOL [1, S, 64]");
        assertThatThrownBy(() -> graph.op("Add", "d", x, weight("wide", 65)))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("Add d: [1, S, 64] and [65] do not fit:"
                        + " each dimension, counted from the last, must be equal or 1");
        assertThatThrownBy(() -> graph.op("Add", "e", x, input("other", 1, "P", 64)))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("Add e: [1, S, 64] and [1, P, 64] do not fit:"
                        + " each dimension, counted from the last, must be equal or 1");
    }

    @Test
    void aPoolOfWindowsThatDoNotOverlapDividesTheLastSize() {
        Value x = input("x", "batch", "tokens", 96);
        Map<String, List<Integer>> window = Map.of("kernel_shape", List.of(32), "strides", List.of(32));
        assertThat(shown(graph.op("AveragePool", "a", List.of(x), window))).isEqualTo("FLOAT [batch, tokens, 3]");
        Map<String, List<Integer>> overlapping = Map.of("kernel_shape", List.of(32), "strides", List.of(16));
        assertThat(graph.op("AveragePool", "b", List.of(x), overlapping).shape())
                .isEqualTo(Shape.UNKNOWN);
    }

    @Test
    void aReshapeKeepsNamedSizes() {
        Value x = input("x", "batch", "tokens", 64);
        Value byHead = graph.op("Reshape", "h", x, graph.integers("s1", 0, -1, 8, 8));
        assertThat(shown(byHead)).isEqualTo("FLOAT [batch, tokens, 8, 8]");
        Value flat = graph.op("Reshape", "f", byHead, graph.integers("s2", -1, 64));
        assertThat(shown(flat)).isEqualTo("FLOAT [batch·tokens, 64]");
        assertThat(shown(graph.op("Reshape", "b", flat, graph.integers("s3", -1))))
                .isEqualTo("FLOAT [64·batch·tokens]");
        assertThatThrownBy(() -> graph.op("Reshape", "w", x, graph.integers("s4", 0, -1, 9, 8)))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("Reshape w: [batch, tokens, 64] and [4] do not fit: the first cannot become [0, -1, 9, 8]");
    }

    @Test
    void aSplitMustTakeAllOfTheAxis() {
        Value x = input("x", 1, "S", 96);
        List<Value> parts = graph.node(
                "Split", "", List.of(x, graph.integers("sizes", 64, 32)), List.of("a", "b"), Map.of("axis", -1));
        assertThat(parts).extracting(GraphShapesTest::shown).containsExactly("FLOAT [1, S, 64]", "FLOAT [1, S, 32]");
        Value sizes = graph.integers("others", 64, 64);
        assertThatThrownBy(() -> graph.node("Split", "", List.of(x, sizes), List.of("c", "d"), Map.of("axis", -1)))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("Split c: [1, S, 96] and [2] do not fit:"
                        + " the parts [64, 64] must sum to the dimension that is split");
    }

    @Test
    void attentionChecksTheWidthOfAllHeads() {
        Value past = input("past", 1, 2, "P", 16);
        Value qkv = input("qkv", 1, "S", 128);
        Map<String, Integer> heads = Map.of("num_heads", 4, "kv_num_heads", 2);
        List<Value> inputs = List.of(qkv, Value.NONE, Value.NONE, past, past, Value.NONE, Value.NONE);
        List<Value> results = graph.node("GroupQueryAttention", Graph.MICROSOFT, inputs, List.of("y", "k", "v"), heads);
        assertThat(results)
                .extracting(GraphShapesTest::shown)
                .containsExactly("FLOAT [1, S, 64]", "FLOAT [1, 2, T, 16]", "FLOAT [1, 2, T, 16]");
        Map<String, Integer> more = Map.of("num_heads", 6, "kv_num_heads", 2);
        assertThatThrownBy(() -> graph.node("GroupQueryAttention", Graph.MICROSOFT, inputs, List.of("z"), more))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("GroupQueryAttention z: [1, S, 128] and [1, 2, P, 16] and [1, 2, P, 16] do not fit:"
                        + " q, k and v must have all heads' width");
    }

    @Test
    void blocksMustHoldTheMatrixThatTheyAreMultipliedAs() {
        Value x = input("x", 1, "S", 64);
        Value codes = graph.weight(new Weight("codes", ElementType.UINT8, Shape.of(96, 2, 16), sink -> {}));
        Value scales = weight("scales", 96 * 2);
        Map<String, Integer> attributes = Map.of("K", 64, "N", 96, "bits", 4, "block_size", 32);
        assertThat(shown(graph.fused("MatMulNBits", "y", List.of(x, codes, scales), attributes)))
                .isEqualTo("FLOAT [1, S, 96]");
        Value few = weight("few", 96);
        assertThatThrownBy(() -> graph.fused("MatMulNBits", "z", List.of(x, codes, few), attributes))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("MatMulNBits z: [1, S, 64] and [96, 2, 16] and [96] do not fit:"
                        + " there must be a scale for each block");
    }

    @Test
    void whatIsNotKnownFitsEverything() {
        Value unknown = Value.unknown("u");
        assertThat(shown(graph.op("MatMul", "y", unknown, weight("w", 4, 4)))).isEqualTo("OTHER [?]");
        Value found = graph.op("NonZero", "n", input("x", "S", 3));
        assertThat(shown(found)).isEqualTo("INT64 [2, ?]");
        assertThat(shown(graph.op("Add", "s", found, graph.integers("four", 1, 2, 3, 4))))
                .isEqualTo("INT64 [2, 4]");
    }

    @Test
    void branchesMustGiveOneShape() {
        Value x = input("x", 2, 3);
        Value flag = graph.input("flag", ElementType.BOOL, 1);
        Value chosen = graph.choice("y", flag, () -> graph.op("Relu", "r", x), () -> graph.op("Identity", "i", x));
        assertThat(shown(chosen)).isEqualTo("FLOAT [2, 3]");
        assertThatThrownBy(() -> graph.choice(
                        "z",
                        flag,
                        () -> graph.op("Relu", "r2", x),
                        () -> graph.op("Transpose", "t", List.of(x), Map.of("perm", List.of(1, 0)))))
                .isInstanceOf(ShapeMismatchException.class)
                .hasMessage("If z: [2, 3] and [3, 2] do not fit: both branches must give one shape");
    }

    @Test
    void aWeightHasAKnownShapeAndANameOfItsOwn() {
        weight("w", 2, 2);
        assertThatThrownBy(() -> weight("w", 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the graph has a weight w already");
        assertThatThrownBy(() -> new Weight("v", ElementType.FLOAT, Shape.from("S", 2), sink -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the shape of the weight v must be known but was [S, 2]");
    }
}
