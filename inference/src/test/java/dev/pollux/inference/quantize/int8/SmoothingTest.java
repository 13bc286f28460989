package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** SmoothQuant on small graphs, with the formulas computed anew. */
@NoLeaks
class SmoothingTest {

    private static final int WIDTH = 16;
    private static final int ROWS = 24;
    private static final int OUTLIER = 5;

    /** 32-bit floats, divided and multiplied once more. */
    private static final double ROUNDING = 1e-5;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    private float[] normal(int count, double scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * scale);
        }
        return values;
    }

    /**
     * The products u and v of the normed input, whose column 5 is large; z of u; and of t, transposed, z too.
     *
     * @param shared whether something else reads the normed input
     */
    private Graph network(boolean shared) {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, "rows", WIDTH);
        float[] gamma = normal(WIDTH, 1);
        gamma[OUTLIER] = 60;
        Value scale = g.floats("gamma", gamma::clone, WIDTH);
        Value shift = g.floats("beta", normal(WIDTH, .1)::clone, WIDTH);
        Value normed = g.op("LayerNormalization", "normed", List.of(x, scale, shift), Map.of("axis", -1));
        Value u = g.op("MatMul", "u", normed, g.floats("w_u", normal(WIDTH * WIDTH, .2)::clone, WIDTH, WIDTH));
        Value t = g.floats("w_v", normal(WIDTH * WIDTH, .2)::clone, WIDTH, WIDTH);
        Value v = g.op("Gemm", "v", List.of(normed, t), Map.of("transB", 1));
        Value active = g.op("Mul", "active", u, v);
        Value z = g.op("MatMul", "z", active, g.floats("w_z", normal(WIDTH * WIDTH, .2)::clone, WIDTH, WIDTH));
        Value y = shared ? g.op("Add", "y", z, normed) : g.op("Identity", "y", z);
        g.output(y.name(), ElementType.FLOAT, "rows", WIDTH);
        return g.build();
    }

    private static float[] run(Graph graph, float[] x) throws OrtException {
        ByteBuffer bytes = Tensors.direct(x.length * Float.BYTES);
        bytes.asFloatBuffer().put(x);
        try (OrtSession session = NativeRuntime.environment().createSession(GraphWriter.bytes(graph));
                OnnxTensor tensor = Tensors.over(bytes, ElementType.FLOAT, x.length / WIDTH, WIDTH);
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            float[] y = new float[x.length];
            ((OnnxTensor) result.get(0)).getFloatBuffer().get(y);
            return y;
        }
    }

    private static Calibration calibration(Graph graph, float[] x) {
        ByteBuffer bytes = Tensors.direct(x.length * Float.BYTES);
        bytes.asFloatBuffer().put(x);
        List<InputTensor> input =
                List.of(new InputTensor("x", ElementType.FLOAT, List.of((long) x.length / WIDTH, (long) WIDTH), bytes));
        return new Calibration(new GraphRuns(graph, Path.of("model.onnx"), 1, List.of(input)), RangeMethod.MIN_MAX);
    }

    private static Smoothing smoothed(Graph graph, float[] x) {
        Smoothing smoothing = Smoothing.of(graph, weight -> false);
        smoothing.choose(calibration(graph, x).magnitudes(smoothing.widths(), JobContext.NONE), .5);
        return smoothing;
    }

    private static double error(float[] values, float[] exact) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < values.length; i++) {
            error += Math.pow(values[i] - exact[i], 2);
            norm += Math.pow(exact[i], 2);
        }
        return Math.sqrt(error / norm);
    }

    @Test
    void scalesAreTheRatioOfTheRanges() {
        float[] scales = Smoothing.scales(new float[] {4, 9, 0, 16}, new float[] {1, 4, 2, 0}, .5);

        assertThat(scales[0]).isCloseTo(2, within(1e-6f));
        assertThat(scales[1]).isCloseTo(1.5f, within(1e-6f));
        assertThat(scales[2]).isEqualTo(1); // no text has it
        assertThat(scales[3]).isCloseTo((float) (4 / Math.sqrt(1e-5)), within(.01f));
        assertThat(Smoothing.scales(new float[] {9}, new float[] {4}, 1)[0]).isCloseTo(9, within(1e-5f));
    }

    @Test
    void theGraphComputesTheSameAndANormTakesTheDivision() throws OrtException {
        for (boolean shared : new boolean[] {false, true}) {
            Graph graph = network(shared);
            float[] x = normal(ROWS * WIDTH, 1);
            Graph changed = smoothed(graph, x).graph();

            assertThat(error(run(changed, x), run(graph, x)))
                    .as("seed %d", seed)
                    .isLessThan(ROUNDING);
            Map<String, Integer> count = new HashMap<>();
            changed.nodes().stream().map(Node::operator).forEach(name -> count.merge(name, 1, Integer::sum));
            assertThat(count).containsEntry("Mul", shared ? 3 : 2); // of x and of the product before z
            assertThat(changed.weight("active_smoothing")).isPresent();
            assertThat(changed.weight("normed_smoothing").isPresent()).isEqualTo(shared);
        }
    }

    @Test
    void anOutlierCostsLessOfTheOtherColumns() throws OrtException {
        for (boolean shared : new boolean[] {false, true}) {
            Graph graph = network(shared);
            float[] x = normal(ROWS * WIDTH, 1);
            Smoothing smoothing = smoothed(graph, x);
            float[] exact = run(graph, x);

            Graph floats = smoothing.graph();
            double dynamic = error(run(dynamic(graph), x), exact);
            assertThat(error(run(dynamic(floats), x), exact))
                    .as("seed %d", seed)
                    .isLessThan(dynamic);
            double fixed = error(run(fixed(graph, graph, Smoothing.of(graph, weight -> true), x), x), exact);
            assertThat(error(run(fixed(graph, floats, smoothing, x), x), exact))
                    .as("seed %d", seed)
                    .isLessThan(fixed);
        }
    }

    private static Graph dynamic(Graph floats) {
        return DynamicInt8.quantize(floats, WeightForm.DEFAULT, weight -> false).graph();
    }

    private static Graph fixed(Graph original, Graph floats, Smoothing smoothing, float[] x) {
        StaticInt8 plan = StaticInt8.plan(
                floats, WeightForm.DEFAULT, ActivationForm.DEFAULT, StaticScope.WEIGHTS, weight -> false);
        Map<String, Calibration.Measured> values = new HashMap<>();
        plan.measured().forEach(value -> values.put(value, smoothing.measured(value)));
        return plan.quantize(calibration(original, x).ranges(values, JobContext.NONE))
                .graph();
    }

    @Test
    void theRangeOfADividedActivationIsThatOfItsQuotients() throws OrtException {
        Graph graph = network(true);
        float[] x = normal(ROWS * WIDTH, 1);
        Smoothing smoothing = smoothed(graph, x);
        Map<String, ValueRange> direct = calibration(smoothing.graph(), x)
                .ranges(List.of("normed_smoothed", "active_smoothed"), JobContext.NONE);
        Map<String, Calibration.Measured> values = new HashMap<>();
        direct.keySet().forEach(value -> values.put(value, smoothing.measured(value)));

        calibration(graph, x).ranges(values, JobContext.NONE).forEach((value, range) -> {
            ValueRange expected = direct.get(value);
            assertThat(range.low()).as("seed %d", seed).isCloseTo(expected.low(), within(1e-4f));
            assertThat(range.high()).isCloseTo(expected.high(), within(1e-4f));
        });
    }

    @Test
    void aMatrixWithReadersOfTwoInputsKeepsItsValues() {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, "rows", WIDTH);
        Value w = g.floats("w", normal(WIDTH * WIDTH, 1)::clone, WIDTH, WIDTH);
        Value first = g.op("MatMul", "first", x, w);
        Value y = g.op("MatMul", "y", first, w);
        g.output(y.name(), ElementType.FLOAT, "rows", WIDTH);

        assertThat(Smoothing.of(g.build(), weight -> false).widths()).isEmpty();
    }
}
