package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.testkit.NoLeaks;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every function of the table as a graph, beside its formula in double precision. */
@NoLeaks
@SuppressWarnings("UnnecessaryLambda") // functions that others are made of, by name
class ActivationFunctionTest {

    /** Single precision at values up to 100; the error function of the test is good to 1.5e-7. */
    private static final double TOLERANCE = 2e-5;

    private static final float[] VALUES = {-12, -3, -1, -0.5f, -0.01f, 0, 0.01f, 0.5f, 0.75f, 1, 3, 6.5f, 12};

    private static final DoubleUnaryOperator GELU = x -> x * (1 + erf(x / Math.sqrt(2))) / 2;
    private static final DoubleUnaryOperator TANH_GELU =
            x -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
    private static final DoubleUnaryOperator SILU = x -> x / (1 + Math.exp(-x));

    private static final Map<String, DoubleUnaryOperator> FORMULAS = Map.ofEntries(
            Map.entry("elu", x -> x < 0 ? Math.expm1(x) : x),
            Map.entry("gelu", GELU),
            Map.entry("gelu_10", x -> Math.min(10, Math.max(-10, GELU.applyAsDouble(x)))),
            Map.entry("gelu_accurate", TANH_GELU),
            Map.entry("gelu_fast", TANH_GELU),
            Map.entry("gelu_new", TANH_GELU),
            Map.entry("gelu_python", GELU),
            Map.entry("gelu_python_tanh", TANH_GELU),
            Map.entry("gelu_pytorch_tanh", TANH_GELU),
            Map.entry("hardswish", x -> x * Math.min(6, Math.max(0, x + 3)) / 6),
            Map.entry("laplace", x -> (1 + erf((x - 0.707107) / (0.282095 * Math.sqrt(2)))) / 2),
            Map.entry("leaky_relu", x -> x < 0 ? 0.01 * x : x),
            Map.entry("linear", x -> x),
            Map.entry("mish", x -> x * Math.tanh(Math.log1p(Math.exp(x)))),
            Map.entry("quick_gelu", x -> x / (1 + Math.exp(-1.702 * x))),
            Map.entry("relu", x -> Math.max(0, x)),
            Map.entry("relu2", x -> x < 0 ? 0 : x * x),
            Map.entry("relu6", x -> Math.min(6, Math.max(0, x))),
            Map.entry("sigmoid", x -> 1 / (1 + Math.exp(-x))),
            Map.entry("silu", SILU),
            Map.entry("sqrtsoftplus", x -> Math.sqrt(Math.log1p(Math.exp(x)))),
            Map.entry("swish", SILU),
            Map.entry("tanh", Math::tanh));

    @TempDir
    Path temp;

    @Test
    void everyFunctionIsItsFormula() {
        assertThat(ActivationFunction.names()).isEqualTo(new java.util.TreeSet<>(FORMULAS.keySet()));
        FORMULAS.forEach((name, formula) -> {
            float[] written = run(name);
            for (int i = 0; i < VALUES.length; i++) {
                assertThat((double) written[i])
                        .as("%s(%s)", name, VALUES[i])
                        .isCloseTo(formula.applyAsDouble(VALUES[i]), within(TOLERANCE));
            }
        });
    }

    @Test
    void anotherNameIsRefusedWithThoseThereAre() {
        assertThatThrownBy(() -> ActivationFunction.of("swoosh", "config.json"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("config.json: the activation 'swoosh' is not supported, only [elu, gelu, gelu_10,"
                        + " gelu_accurate, gelu_fast, gelu_new, gelu_python, gelu_python_tanh, gelu_pytorch_tanh,"
                        + " hardswish, laplace, leaky_relu, linear, mish, quick_gelu, relu, relu2, relu6, sigmoid,"
                        + " silu, sqrtsoftplus, swish, tanh]");
    }

    private float[] run(String name) {
        Path model = temp.resolve(name + ".onnx");
        GraphBuilder graph = GraphBuilder.create();
        Value input = graph.input("x", ElementType.FLOAT, VALUES.length);
        Value active = ActivationFunction.of(name, "test").write(graph, input, "active");
        graph.output(graph.op("Identity", "y", active));
        GraphWriter.write(graph.build(), model);
        try (OrtSession session = NativeRuntime.environment().createSession(model.toString());
                OnnxTensor x = OnnxTensor.createTensor(
                        NativeRuntime.environment(), FloatBuffer.wrap(VALUES), new long[] {VALUES.length});
                OrtSession.Result result = session.run(Map.of("x", x))) {
            float[] values = new float[VALUES.length];
            ((OnnxTensor) result.get(0)).getFloatBuffer().get(values);
            return values;
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
    }

    /** Abramowitz and Stegun, 7.1.26. */
    private static double erf(double x) {
        double t = 1 / (1 + 0.3275911 * Math.abs(x));
        double sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
        return Math.signum(x) * (1 - sum * Math.exp(-x * x));
    }
}
