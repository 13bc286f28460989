package dev.pollux.inference.quantize;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Measures the kernels of ONNX Runtime that a recipe would use, on this processor. <em>Thread-safe.</em>
 */
public final class KernelProbe {

    /*
     * For each form of a plan, bits and block size, one product of the shape of its largest matrix runs with random codes, and the same
     * product with a float matrix in turns. The least time of several runs counts, since other work only adds to it.
     */

    private static final int MOST_ROWS = 8192;
    private static final int MANY = 128;
    private static final int RUNS = 7;
    private static final long RUN_NANOS = 10_000_000;

    private final int threads;

    private KernelProbe(int threads) {
        this.threads = threads;
    }

    /**
     * A probe.
     *
     * @param threads of a product, at least 1
     */
    public static KernelProbe of(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1 but was " + threads);
        }
        return new KernelProbe(threads);
    }

    /**
     * Measures the kernels for a model.
     *
     * @return a job that reports forms; its result has one time for each form of a product, and none for methods without blocks
     *     and for the form QDQ
     */
    public Job<List<KernelTime>> measure(Path model, QuantizationRecipe recipe) {
        return Job.of("measure", context -> {
            boolean blocks = !recipe.method().isInteger()
                    && recipe.method() != QuantizationMethod.FLOAT16
                    && recipe.form() == QuantizationRecipe.Form.OPERATORS;
            if (!blocks) {
                return List.of();
            }
            try (SourceModel source = SourceModel.open(model)) {
                return measured(GraphPlanner.plan(source.graph(), recipe, model.toString()), context);
            }
        });
    }

    private List<KernelTime> measured(GraphPlan plan, JobContext context) {
        Map<BlockFormat, MatrixPlan> largest = new LinkedHashMap<>();
        for (MatrixPlan one : plan.plans()) {
            if (one.uses().stream().anyMatch(use -> !use.kind().lookup())) {
                largest.merge(
                        one.format(),
                        one,
                        (a, b) -> a.weight().elements() >= b.weight().elements() ? a : b);
            }
        }
        List<KernelTime> times = new ArrayList<>();
        int done = 0;
        for (MatrixPlan one : largest.values()) {
            context.progress("measure", done++, largest.size(), "forms");
            context.checkCancelled();
            times.add(time(one, plan.recipe().int8Activations()));
        }
        return times;
    }

    private KernelTime time(MatrixPlan plan, boolean int8Activations) {
        int rows = Math.min(MOST_ROWS, plan.rows());
        int columns = plan.columns();
        try (OrtSession coded = session(coded(plan, rows, int8Activations));
                OrtSession exact = session(exact(columns, rows))) {
            double[] one = least(coded, exact, 1, columns);
            double[] many = least(coded, exact, MANY, columns);
            return new KernelTime(
                    plan.format().bits(), plan.format().blockSize(), columns, rows, one[0] / one[1], many[0] / many[1]);
        } catch (OrtException e) {
            throw NativeRuntime.failure(
                    "Cannot measure " + plan.format().bits() + " bits in blocks of "
                            + plan.format().blockSize(),
                    e);
        }
    }

    private OrtSession session(Graph graph) throws OrtException {
        try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, threads, true)) {
            return NativeRuntime.environment().createSession(GraphWriter.bytes(graph), settings);
        }
    }

    private static Graph coded(MatrixPlan plan, int rows, boolean int8Activations) {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, "tokens", plan.columns());
        int blocks = plan.blocks();
        Shape codes = Shape.of(rows, blocks, plan.format().codeBytes());
        List<Value> inputs = new ArrayList<>(List.of(x));
        inputs.add(g.weight(new Weight("codes", ElementType.UINT8, codes, random((int) codes.elements()))));
        float[] scales = new float[rows * blocks];
        Arrays.fill(scales, 0.01f);
        inputs.add(g.floats("scales", () -> scales, rows, blocks));
        if (!plan.symmetric()) {
            int bytes = PackedCodes.bytes(blocks, plan.format().bits());
            inputs.add(g.weight(new Weight("zeros", ElementType.UINT8, Shape.of(rows, bytes), random(rows * bytes))));
        }
        g.fused(
                "MatMulNBits",
                "y",
                inputs,
                Map.of(
                        "K",
                        plan.columns(),
                        "N",
                        rows,
                        "bits",
                        plan.format().bits(),
                        "block_size",
                        plan.format().blockSize(),
                        "accuracy_level",
                        int8Activations ? 4 : 0));
        g.output("y", ElementType.FLOAT, "tokens", rows);
        return g.build();
    }

    private static WeightSource random(int count) {
        return WeightSource.of(() -> {
            byte[] bytes = new byte[count];
            new Random(1).nextBytes(bytes);
            return ByteBuffer.wrap(bytes);
        });
    }

    private static Graph exact(int columns, int rows) {
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, "tokens", columns);
        float[] values = new float[Math.multiplyExact(columns, rows)];
        Arrays.fill(values, 0.01f);
        g.op("MatMul", "y", x, g.floats("w", () -> values, columns, rows));
        g.output("y", ElementType.FLOAT, "tokens", rows);
        return g.build();
    }

    /** The least times of both, in nanoseconds. */
    private static double[] least(OrtSession coded, OrtSession exact, int tokens, int columns) throws OrtException {
        ByteBuffer bytes = Tensors.direct(tokens * columns * Float.BYTES);
        for (int i = 0; i < tokens * columns; i++) {
            bytes.putFloat(i * Float.BYTES, (i % 17 - 8) / 8f);
        }
        double[] least = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY};
        try (OnnxTensor x = Tensors.over(bytes, ElementType.FLOAT, tokens, columns)) {
            for (int run = 0; run < RUNS; run++) {
                least[0] = Math.min(least[0], nanos(coded, x));
                least[1] = Math.min(least[1], nanos(exact, x));
            }
        }
        return least;
    }

    /** The mean time of a product, of as many as fit a hundredth of a second. */
    private static double nanos(OrtSession session, OnnxTensor x) throws OrtException {
        long begin = System.nanoTime();
        int count = 0;
        while (count == 0 || System.nanoTime() - begin < RUN_NANOS) {
            session.run(Map.of("x", x), Set.of("y")).close();
            count++;
        }
        return (System.nanoTime() - begin) / (double) count;
    }
}
