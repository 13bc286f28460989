package dev.pollux.finetune.internal.differentiation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * Compares gradients with central differences of L = Σ c · y for random c, in the runtime's 32-bit floats.
 *
 * @param inputs the shape of each input, (…)
 * @param low the smallest value of inputs
 * @param high the largest value of inputs
 * @param function adds y
 */
record GradientCheck(
        List<long[]> inputs, double low, double high, BiFunction<GraphBuilder, List<Value>, Value> function) {

    private static final double STEP = 4e-3;

    /** The largest error of a derivative, relative to the largest derivative. */
    double error(long seed, boolean named) throws Exception {
        Random random = new Random(seed);
        GraphBuilder builder = GraphBuilder.create();
        List<Value> x = new ArrayList<>();
        Map<String, float[]> at = new LinkedHashMap<>();
        Map<String, long[]> shapes = new HashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            long[] shape = inputs.get(i);
            Object[] dims = Arrays.stream(shape).boxed().toArray();
            if (named && dims.length > 1 && shape[0] == 3) {
                dims[0] = "rows";
            }
            x.add(builder.input("x" + i, ElementType.FLOAT, dims));
            at.put("x" + i, floats(random, shape, low, high));
            shapes.put("x" + i, shape);
        }
        Value y = function.apply(builder, x);
        Graph forward = builder.build();
        float[] cotangent = floats(random, sizes(run(forward, y, at, shapes), y.shape()), -1, 1);
        Value seed2 = new Value("dy", ElementType.FLOAT, y.shape());
        Set<String> wanted = new LinkedHashSet<>(at.keySet());
        Gradients gradients = Differentiation.of(forward, Map.of(y.name(), seed2), wanted, Set.of());
        double worst = 0;
        double largest = 1e-3;
        for (String input : wanted) {
            Map<String, float[]> given = new HashMap<>(at);
            given.put("dy", cotangent);
            Map<String, long[]> all = new HashMap<>(shapes);
            all.put("dy", sizes(cotangent, y.shape()));
            float[] found = run(gradients.graph(), gradients.of(input), given, all);
            float[] values = at.get(input);
            for (int i = 0; i < values.length; i++) {
                float before = values[i];
                values[i] = (float) (before + STEP);
                double above = loss(run(forward, y, at, shapes), cotangent);
                values[i] = (float) (before - STEP);
                double below = loss(run(forward, y, at, shapes), cotangent);
                values[i] = before;
                double expected = (above - below) / ((float) (before + STEP) - (float) (before - STEP));
                largest = Math.max(largest, Math.abs(expected));
                worst = Math.max(worst, Math.abs(expected - found[i]));
            }
        }
        return worst / largest;
    }

    /** The sizes of y: its last ones are known, and its first is what is left. */
    private static long[] sizes(float[] values, Shape shape) {
        long[] sizes = new long[shape.rank()];
        long known = 1;
        int open = -1;
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = shape.size(i);
            if (sizes[i] < 0) {
                open = i;
            } else {
                known *= sizes[i];
            }
        }
        if (open >= 0) {
            sizes[open] = values.length / known;
        }
        return sizes;
    }

    private static double loss(float[] y, float[] cotangent) {
        double sum = 0;
        for (int i = 0; i < y.length; i++) {
            sum += (double) y[i] * cotangent[i];
        }
        return sum;
    }

    private static float[] floats(Random random, long[] shape, double low, double high) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (low + (high - low) * random.nextDouble());
        }
        return values;
    }

    private static float[] run(Graph graph, Value output, Map<String, float[]> values, Map<String, long[]> shapes)
            throws Exception {
        Value declared = new Value(output.name(), ElementType.FLOAT, output.shape());
        byte[] model = GraphWriter.bytes(GraphCut.between(graph, List.of(), List.of(declared)));
        Map<String, OnnxTensor> given = new HashMap<>();
        try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, 1, false);
                OrtSession session = NativeRuntime.environment().createSession(model, settings)) {
            for (String name : session.getInputNames()) {
                given.put(
                        name,
                        OnnxTensor.createTensor(
                                NativeRuntime.environment(), FloatBuffer.wrap(values.get(name)), shapes.get(name)));
            }
            try (OrtSession.Result result = session.run(given)) {
                FloatBuffer found = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] all = new float[found.remaining()];
                found.get(all);
                return all;
            }
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }
}
