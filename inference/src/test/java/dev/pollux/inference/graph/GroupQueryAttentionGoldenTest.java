package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** Every feature of the golden set {@code quantize/gqa}: its graph, read and written again, gives the reference's outputs. */
@NoLeaks
class GroupQueryAttentionGoldenTest {

    private static final double FLOAT = 1e-6;
    private static final double HALF = 1e-3;

    @TestFactory
    Stream<DynamicTest> everyFeatureThatRuns() throws IOException {
        return JsonNode.parse(Files.readString(folder().resolve("manifest.json")))
                .path("cases")
                .valueStream()
                .filter(one -> one.path("runs").asBoolean())
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(one)));
    }

    private static Path folder() {
        return ReferenceData.golden("quantize").resolve("gqa");
    }

    private static void check(JsonNode one) throws OrtException {
        String name = one.path("name").asString();
        double tolerance = one.path("dtype").asString().equals("float16") ? HALF : FLOAT;
        byte[] graph = GraphWriter.bytes(GraphReader.read(folder().resolve(name + ".onnx")));
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                SafetensorsFile tensors = SafetensorsFile.open(folder().resolve("gqa.safetensors"));
                OrtSession session = session(graph, options);
                Inputs inputs = Inputs.of(session, tensors, name);
                OrtSession.Result result = run(session, inputs)) {
            for (String output : session.getOutputNames()) {
                near(output, (OnnxTensor) result.get(output).orElseThrow(), tensors, name + "." + output, tolerance);
            }
        }
    }

    private static OrtSession session(byte[] graph, OrtSession.SessionOptions options) throws OrtException {
        try {
            return NativeRuntime.environment().createSession(graph, options);
        } catch (OrtException e) {
            throw newer(e, "Unrecognized attribute");
        }
    }

    private static OrtSession.Result run(OrtSession session, Inputs inputs) throws OrtException {
        try {
            return session.run(inputs.tensors());
        } catch (OrtException e) {
            throw newer(e, "only supports float Q dtype with quantized KV cache");
        }
    }

    /** Aborts the test if the feature is newer than this version of the runtime. */
    private static OrtException newer(OrtException e, String sign) {
        String message = String.valueOf(e.getMessage());
        if (message.contains(sign)) {
            throw new TestAbortedException("newer than the runtime: " + message);
        }
        return e;
    }

    private record Inputs(Map<String, OnnxTensor> tensors) implements AutoCloseable {

        static Inputs of(OrtSession session, SafetensorsFile file, String name) throws OrtException {
            Map<String, OnnxTensor> made = new LinkedHashMap<>();
            for (NodeInfo input : session.getInputInfo().values()) {
                ElementType type = ElementType.valueOf(
                        ((TensorInfo) input.getInfo()).type.name().toUpperCase(Locale.ROOT));
                String stored = name + "." + input.getName();
                ByteBuffer bytes =
                        Tensors.direct(Math.toIntExact(file.info(stored).byteLength()));
                bytes.put(file.bytes(stored, 0, bytes.capacity())).flip();
                long[] shape = file.info(stored).shape().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                long[] declared = ((TensorInfo) input.getInfo()).getShape();
                made.put(input.getName(), Tensors.over(bytes, type, declared.length == 0 ? declared : shape));
            }
            return new Inputs(made);
        }

        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    /** Codes of a cache are equal, floats are near. */
    private static void near(String what, OnnxTensor made, SafetensorsFile file, String stored, double tolerance) {
        ByteBuffer due = file.bytes(stored, 0, Math.toIntExact(file.info(stored).byteLength()));
        ByteBuffer bytes = made.getByteBuffer().order(due.order());
        assertThat(bytes.remaining()).as(what).isEqualTo(due.remaining());
        switch (file.info(stored).type()) {
            case F32 -> {
                for (int at = 0; at < due.limit(); at += Float.BYTES) {
                    assertThat((double) bytes.getFloat(at)).as(what).isCloseTo(due.getFloat(at), within(tolerance));
                }
            }
            case F16 -> {
                for (int at = 0; at < due.limit(); at += Short.BYTES) {
                    assertThat((double) Float16.toFloat(bytes.getShort(at)))
                            .as(what)
                            .isCloseTo(Float16.toFloat(due.getShort(at)), within(tolerance));
                }
            }
            default -> assertThat(bytes).as(what).isEqualTo(due);
        }
    }
}
