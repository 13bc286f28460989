package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.inference.quantize.int8.IntegerFormat.Type;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every model and variant of the golden set {@code quantize/int8}. */
@NoLeaks
class Int8GoldenTest {

    /** The tolerance of outputs. */
    private static final double OUTPUT = 1e-5;

    /** Ranges are measured by another build of the runtime, whose sums differ in the last bits. */
    private static final double SCALE = 2e-6;

    @TestFactory
    Stream<DynamicTest> everyVariant() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        Int8Golden.manifest()
                .path("models")
                .properties()
                .forEach(model -> model.getValue()
                        .path("variants")
                        .valueStream()
                        .filter(variant -> variant.path("ok").asBoolean())
                        .forEach(variant -> tests.add(DynamicTest.dynamicTest(
                                variant.path("name").asString(),
                                () -> check(
                                        model.getKey(),
                                        model.getValue().path("model").asString(),
                                        variant)))));
        return tests.stream();
    }

    /** The operator that quantizes activations in each run, and the same grid by the format of activations. */
    @TestFactory
    Stream<DynamicTest> everyVectorOfDynamicQuantizeLinear() {
        try (SafetensorsFile tensors = Int8Golden.open("dynamic-quantize-linear")) {
            return tensors.tensors().keySet().stream()
                    .filter(name -> name.endsWith(".x"))
                    .sorted()
                    .map(name -> name.substring(0, name.length() - 1))
                    .toList()
                    .stream()
                    .map(name -> DynamicTest.dynamicTest(name, () -> vector(name)));
        }
    }

    private static void vector(String name) throws OrtException {
        try (SafetensorsFile tensors = Int8Golden.open("dynamic-quantize-linear")) {
            float[] x = tensors.floats(name + "x");
            float scale = tensors.floats(name + "scale")[0];
            int zero = Int8Golden.integers(tensors, name + "zero_point")[0];
            int[] codes = Int8Golden.integers(tensors, name + "q");
            IntegerFormat format = new IntegerFormat(Type.UINT8, false, false);
            ObservedRange range = ObservedRange.of(x);
            LinearScale grid = format.fit(range.low(), range.high());
            assertThat(grid.zero()).isEqualTo(zero);
            assertThat((double) grid.scale()).isCloseTo(scale, within(SCALE * scale));
            for (int i = 0; i < x.length; i++) {
                assertThat(new LinearScale(scale, zero).code(x[i], format)).isEqualTo(codes[i]);
            }
            List<Object> computed = byRuntime(x);
            assertThat((int[]) computed.get(0)).isEqualTo(codes);
            assertThat(computed.subList(1, 3)).containsExactly(scale, zero);
        }
    }

    /** Codes, scale and zero point as the runtime computes them. */
    private static List<Object> byRuntime(float[] x) throws OrtException {
        GraphBuilder builder = GraphBuilder.create();
        builder.input("x", ElementType.FLOAT, x.length);
        builder.add(Node.of("DynamicQuantizeLinear", "", List.of("x"), List.of("q", "s", "z"), Map.of()));
        builder.output("q", ElementType.UINT8, x.length);
        builder.output("s", ElementType.FLOAT);
        builder.output("z", ElementType.UINT8);
        ByteBuffer bytes = Tensors.direct(x.length * Float.BYTES);
        bytes.asFloatBuffer().put(x);
        try (OrtSession session = NativeRuntime.environment().createSession(GraphWriter.bytes(builder.build()));
                OnnxTensor input = Tensors.over(bytes, ElementType.FLOAT, x.length);
                OrtSession.Result result = session.run(Map.of("x", input))) {
            ByteBuffer q = ((OnnxTensor) result.get(0)).getByteBuffer();
            int[] codes = new int[x.length];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = q.get(i) & 0xFF;
            }
            return List.of(
                    codes,
                    ((OnnxTensor) result.get(1)).getFloatBuffer().get(0),
                    ((OnnxTensor) result.get(2)).getByteBuffer().get(0) & 0xFF);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyCalibratedRange() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        Int8Golden.manifest()
                .path("models")
                .properties()
                .forEach(model -> model.getValue().path("calibrated_ranges").properties().stream()
                        .filter(method -> !method.getKey().endsWith("_bins"))
                        .forEach(method -> tests.add(DynamicTest.dynamicTest(
                                model.getKey() + " " + method.getKey(),
                                () -> ranges(
                                        model.getKey(),
                                        model.getValue().path("model").asString(),
                                        method.getKey(),
                                        method.getValue())))));
        return tests.stream();
    }

    private static void ranges(String set, String model, String method, JsonNode expected) {
        Path file = Int8Golden.folder().resolve(model);
        RangeMethod how = method(
                method.substring(0, (method + "_").indexOf('_')),
                !method.endsWith("asymmetric"),
                RangeMethod.PERCENTILE.percent());
        try (SafetensorsFile tensors = Int8Golden.open(set)) {
            Map<String, ValueRange> ranges = new Calibration(
                            new GraphRuns(GraphReader.read(file), file, 1, inputs(tensors, "calib")), how)
                    .ranges(expected.propertyNames(), JobContext.NONE);
            expected.properties().forEach(one -> {
                ValueRange range = ranges.get(one.getKey());
                double low = one.getValue().path(0).asDouble();
                double high = one.getValue().path(1).asDouble();
                double tolerance = SCALE * Math.max(Math.abs(low), Math.abs(high));
                assertThat((double) range.low()).as(one.getKey()).isCloseTo(low, within(tolerance));
                assertThat((double) range.high()).as(one.getKey()).isCloseTo(high, within(tolerance));
            });
        }
    }

    private static RangeMethod method(String name, boolean magnitudes, double percent) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "minmax" -> RangeMethod.MIN_MAX;
            case "percentile" -> new RangeMethod(RangeMethod.Kind.PERCENTILE, percent, magnitudes, false);
            case "entropy" -> RangeMethod.ENTROPY;
            default -> throw new AssertionError("unknown method " + name);
        };
    }

    private static Type type(String name) {
        return Type.valueOf(name.substring(1).toUpperCase(Locale.ROOT));
    }

    private static void check(String set, String model, JsonNode variant) throws OrtException {
        Path file = Int8Golden.folder().resolve(model);
        String name = variant.path("name").asString();
        try (SafetensorsFile tensors = Int8Golden.open(set)) {
            Graph graph = quantized(GraphReader.read(file), file, variant, tensors);
            checkOperators(graph, variant.path("ops"));
            checkWeights(graph, name + ".init.", tensors);
            float[] output = output(graph, inputs(tensors, "test").iterator().next());
            float[] expected = tensors.floats(name + ".output");
            assertThat(output).hasSameSizeAs(expected);
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) output[i]).as("output " + i).isCloseTo(expected[i], within(OUTPUT));
            }
        }
    }

    private static Graph quantized(Graph graph, Path file, JsonNode variant, SafetensorsFile tensors) {
        JsonNode options = variant.path("options");
        WeightForm weights = new WeightForm(
                type(options.path("weight_type").asString()),
                options.path("per_channel").asBoolean(),
                options.path("reduce_range").asBoolean());
        if (variant.path("kind").asString().equals("dynamic")) {
            return DynamicInt8.quantize(graph, weights, weight -> false).graph();
        }
        JsonNode extra = options.path("extra_options");
        ActivationForm activations = new ActivationForm(
                type(options.path("activation_type").asString()),
                extra.path("ActivationSymmetric").asBoolean(false));
        Set<String> operators = new TreeSet<>();
        options.path("op_types_to_quantize").forEach(operator -> operators.add(operator.asString()));
        StaticInt8 plan = StaticInt8.plan(
                graph,
                weights,
                activations,
                operators.isEmpty() ? StaticScope.ALL : new StaticScope(operators, false),
                weight -> false);
        RangeMethod method = method(
                options.path("calibrate_method").asString(),
                extra.path("CalibTensorRangeSymmetric").asBoolean(true),
                extra.path("CalibPercentile").asDouble(RangeMethod.PERCENTILE.percent()));
        return plan.quantize(new Calibration(new GraphRuns(graph, file, 1, inputs(tensors, "calib")), method)
                        .ranges(plan.measured(), JobContext.NONE))
                .graph();
    }

    private static void checkOperators(Graph graph, JsonNode expected) {
        Map<String, Integer> counts = new TreeMap<>();
        graph.nodes().forEach(node -> counts.merge(node.operator(), 1, Integer::sum));
        Map<String, Integer> wanted = new TreeMap<>();
        expected.properties()
                .forEach(one -> wanted.put(one.getKey(), one.getValue().asInt()));
        assertThat(counts).isEqualTo(wanted);
    }

    /** Integers are equal, scales are close. */
    private static void checkWeights(Graph graph, String prefix, SafetensorsFile tensors) {
        for (String tensor : new TreeSet<>(tensors.tensors().keySet())) {
            if (!tensor.startsWith(prefix)) {
                continue;
            }
            Weight weight =
                    graph.weight(tensor.substring(prefix.length())).orElseThrow(() -> new AssertionError(tensor));
            TensorInfo info = tensors.info(tensor);
            ByteBuffer bytes = ByteBuffer.allocate((int) weight.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            weight.source().writeTo(bytes::put);
            bytes.flip();
            if (weight.type() == ElementType.FLOAT) {
                float[] expected = tensors.floats(tensor);
                assertThat(weight.elements()).as(tensor).isEqualTo(expected.length);
                for (float one : expected) {
                    assertThat((double) bytes.getFloat()).as(tensor).isCloseTo(one, within(SCALE * Math.abs(one)));
                }
            } else {
                byte[] expected = new byte[Math.toIntExact(info.byteLength())];
                Int8Golden.bytes(tensors, tensor).get(expected);
                assertThat(bytes.array()).as(tensor).isEqualTo(expected);
            }
        }
    }

    private static float[] output(Graph graph, List<InputTensor> input) throws OrtException {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions();
                OrtSession session = NativeRuntime.environment().createSession(GraphWriter.bytes(graph), settings)) {
            for (InputTensor one : input) {
                long[] shape = one.shape().stream().mapToLong(Long::longValue).toArray();
                tensors.put(one.name(), Tensors.over(one.bytes(), one.type(), shape));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                OnnxTensor first = (OnnxTensor) result.get(0);
                assertThat(first.getInfo().type).isEqualTo(OnnxJavaType.FLOAT);
                float[] values = new float[first.getFloatBuffer().remaining()];
                first.getFloatBuffer().get(values);
                return values;
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    /** The inputs {@code <prefix><number>.<name>}, grouped by number. */
    private static List<List<InputTensor>> inputs(SafetensorsFile tensors, String prefix) {
        Map<String, List<InputTensor>> groups = new LinkedHashMap<>();
        for (String tensor : new TreeSet<>(tensors.tensors().keySet())) {
            String group = tensor.substring(0, tensor.indexOf('.'));
            String name = tensor.substring(group.length() + 1);
            if (group.matches(prefix + "\\d*") && !name.endsWith("output")) {
                TensorInfo info = tensors.info(tensor);
                ByteBuffer stored = Int8Golden.bytes(tensors, tensor);
                ByteBuffer bytes = Tensors.direct(stored.remaining());
                bytes.put(stored).flip();
                ElementType type = info.type().name().equals("I64") ? ElementType.INT64 : ElementType.FLOAT;
                groups.computeIfAbsent(group, key -> new ArrayList<>())
                        .add(new InputTensor(name, type, info.shape(), bytes));
            }
        }
        return List.copyOf(groups.values());
    }
}
