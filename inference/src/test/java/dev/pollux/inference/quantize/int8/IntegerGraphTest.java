package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.job.JobContext;
import dev.pollux.testkit.NoLeaks;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

@NoLeaks
class IntegerGraphTest {

    private static final Path MODEL = Path.of("model.onnx");

    /** y = x · w, and a second input that nothing reads. */
    private static GraphBuilder product() {
        GraphBuilder builder = GraphBuilder.create();
        Value x = builder.input("x", ElementType.FLOAT, "rows", 2);
        builder.input("unread", ElementType.INT64, 1);
        Value w = builder.floats("w", () -> new float[] {1, 2, 3, 4}, 2, 2);
        builder.op("MatMul", "y", x, w);
        builder.output("y", ElementType.FLOAT, "rows", 2);
        return builder;
    }

    private static List<String> operators(Graph graph) {
        return graph.nodes().stream().map(Node::operator).toList();
    }

    private static List<InputTensor> input(float... values) {
        ByteBuffer bytes = Tensors.direct(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        return List.of(new InputTensor("x", ElementType.FLOAT, List.of(values.length / 2L, 2L), bytes));
    }

    @Test
    void theInterfaceStaysAndTheFloatWeightGoes() {
        Quantized quantized = DynamicInt8.quantize(product().build(), WeightForm.DEFAULT, weight -> false);

        assertThat(quantized.graph().inputs()).extracting(Value::name).containsExactlyInAnyOrder("x", "unread");
        assertThat(quantized.graph().outputs()).extracting(Value::name).containsExactly("y");
        assertThat(quantized.graph().weight("w")).isEmpty();
        assertThat(operators(quantized.graph()))
                .containsExactly("DynamicQuantizeLinear", "Mul", "MatMulInteger", "Cast", "Mul");
        assertThat(quantized.weights()).hasSize(1);
    }

    @Test
    void aKeptWeightStaysInFloat() {
        Graph graph = product().build();

        assertThat(DynamicInt8.quantize(graph, WeightForm.DEFAULT, weight -> true)
                        .graph())
                .isSameAs(graph);
    }

    @Test
    void aWeightThatIsAnOutputStaysInFloat() {
        GraphBuilder builder = product();
        builder.output("w", ElementType.FLOAT, 2, 2);
        Graph graph = builder.build();

        assertThat(DynamicInt8.quantize(graph, WeightForm.DEFAULT, weight -> false)
                        .weights())
                .isEmpty();
    }

    @Test
    void aTableThatIsAlsoAFactorHasTwoForms() {
        GraphBuilder builder = product();
        Value ids = builder.input("ids", ElementType.INT64, "count");
        builder.op("Gather", "row", builder.value("w"), ids);
        builder.output("row", ElementType.FLOAT, "count", 2);
        Graph graph = DynamicInt8.quantize(builder.build(), WeightForm.DEFAULT, weight -> false)
                .graph();

        assertThat(graph.weight("w_quantized").orElseThrow().type()).isEqualTo(ElementType.INT8);
        assertThat(graph.weight("w_table_quantized").orElseThrow().type()).isEqualTo(ElementType.UINT8);
    }

    @Test
    void activationsOfOneValueAreQuantizedOnce() {
        GraphBuilder builder = product();
        Value v = builder.floats("v", () -> new float[] {1, 2, 3, 4}, 2, 2);
        builder.op("MatMul", "z", builder.value("x"), v);
        builder.output("z", ElementType.FLOAT, "rows", 2);
        Graph graph = DynamicInt8.quantize(builder.build(), WeightForm.DEFAULT, weight -> false)
                .graph();

        assertThat(operators(graph)).containsOnlyOnce("DynamicQuantizeLinear");
    }

    @Test
    void aLargeRowDoesNotCoarsenTheOthersOfAContractingProduct() throws OrtException {
        GraphBuilder builder = GraphBuilder.create();
        Value x = builder.input("x", ElementType.FLOAT, "rows", 3);
        builder.op("MatMul", "y", x, builder.floats("w", () -> new float[] {1, 1, 0.5f, 0.25f, -1, 1}, 3, 2));
        builder.output("y", ElementType.FLOAT, "rows", 2);
        Graph graph = builder.build();
        float[] rows = {1000, -1000, 500, 0.01f, 0.02f, -0.01f, 0, 0, 0};
        float[] exact = {0, 1250, 0.03f, 0.005f, 0, 0};

        float[] together = run(
                DynamicInt8.quantize(graph, WeightForm.DEFAULT, weight -> false).graph(), rows);
        assertThat(together[2]).isZero();
        Graph byRows = DynamicInt8.quantizeByRows(graph, WeightForm.DEFAULT, weight -> false)
                .graph();
        float[] apart = run(byRows, rows);
        for (int row = 0; row < 3; row++) {
            double most = Math.abs(rows[3 * row + 1]);
            for (int column = 0; column < 2; column++) {
                assertThat((double) apart[2 * row + column])
                        .isCloseTo(exact[2 * row + column], within(0.02 * most + 1e-30));
            }
        }
        assertThat(operators(byRows)).contains("ReduceMax", "DynamicQuantizeLinear", "MatMulInteger");
    }

    private static float[] run(Graph graph, float[] rows) throws OrtException {
        ByteBuffer bytes = Tensors.direct(rows.length * Float.BYTES);
        bytes.asFloatBuffer().put(rows);
        try (OrtSession session = NativeRuntime.environment().createSession(GraphWriter.bytes(graph));
                OnnxTensor x = Tensors.over(bytes, ElementType.FLOAT, rows.length / 3, 3);
                OrtSession.Result result = session.run(Map.of("x", x))) {
            float[] y = new float[rows.length / 3 * 2];
            ((OnnxTensor) result.get(0)).getFloatBuffer().get(y);
            return y;
        }
    }

    @Test
    void staticQuantizationOfAllOperatorsMeasuresInputsAndOutputsOfProducts() {
        StaticInt8 plan = StaticInt8.plan(
                product().build(), WeightForm.DEFAULT, ActivationForm.DEFAULT, StaticScope.ALL, weight -> false);

        assertThat(plan.measured()).containsExactly("x", "y");
        assertThat(operators(plan.quantize(Map.of("x", new ValueRange(-1, 1), "y", new ValueRange(0, 9)))
                        .graph()))
                .containsExactlyInAnyOrder(
                        "DequantizeLinear",
                        "QuantizeLinear",
                        "DequantizeLinear",
                        "MatMul",
                        "QuantizeLinear",
                        "DequantizeLinear");
    }

    @Test
    void staticQuantizationOfWeightsMeasuresTheirInputsAlone() {
        GraphBuilder builder = product();
        builder.op("MatMul", "square", builder.value("y"), builder.op("Transpose", "turned", builder.value("y")));
        builder.output("square", ElementType.FLOAT, "rows", "rows");
        StaticInt8 plan = StaticInt8.plan(
                builder.build(), WeightForm.DEFAULT, ActivationForm.DEFAULT, StaticScope.WEIGHTS, weight -> false);

        assertThat(plan.measured()).containsExactly("x");
    }

    @Test
    void rangesAreThoseOfTheFloatModel() {
        Map<String, ValueRange> ranges = new Calibration(
                        new GraphRuns(product().build(), MODEL, 1, List.of(input(1, 0), input(0, -1))),
                        RangeMethod.MIN_MAX)
                .ranges(List.of("x", "y"), JobContext.NONE);

        assertThat(ranges).containsOnly(Map.entry("x", new ValueRange(-1, 1)), Map.entry("y", new ValueRange(-4, 2)));
    }

    @Test
    void anEmptyCalibrationSetIsRefused() {
        assertThatThrownBy(() -> new Calibration(
                                new GraphRuns(product().build(), MODEL, 1, List.of()), RangeMethod.MIN_MAX)
                        .ranges(List.of("y"), JobContext.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The calibration set must have at least one input but has none; give texts of the kind that the model"
                                + " reads");
    }

    @Test
    void anInfiniteValueIsRefused() {
        assertThatThrownBy(() -> new Calibration(
                                new GraphRuns(
                                        product().build(), MODEL, 1, List.of(input(Float.MAX_VALUE, Float.MAX_VALUE))),
                                RangeMethod.MIN_MAX)
                        .ranges(List.of("y"), JobContext.NONE))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage(
                        "The value y of model.onnx is infinite for a calibration input; keep the operators that read it in"
                                + " float");
    }
}
