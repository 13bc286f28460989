package dev.pollux.inference.encoder;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.internal.NativeRuntime;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Runs an exported graph as it is, without an embedder or a reranker around it. */
public final class GraphRun {

    private GraphRun() {}

    /** The first output for inputs of shape (batch, tokens). */
    public static float[] run(OrtSession session, Map<String, long[]> inputs, int batch, int tokens)
            throws OrtException {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Map.Entry<String, long[]> input : inputs.entrySet()) {
                LongBuffer values = LongBuffer.wrap(input.getValue());
                tensors.put(
                        input.getKey(),
                        OnnxTensor.createTensor(NativeRuntime.environment(), values, new long[] {batch, tokens}));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                return values;
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    /** The first output for one row; a negative id is padding. */
    public static float[] row(Path model, int... ids) {
        return row(model, ids, new int[ids.length]);
    }

    /** The same with the type of each token. */
    public static float[] row(Path model, int[] ids, int[] types) {
        try (OrtSession session = NativeRuntime.environment().createSession(model.toString())) {
            Map<String, long[]> inputs = new HashMap<>();
            for (String name : session.getInputNames()) {
                long[] values = new long[ids.length];
                Arrays.setAll(values, i -> switch (name) {
                    case "input_ids" -> Math.max(0, ids[i]);
                    case "attention_mask" -> ids[i] < 0 ? 0 : 1;
                    case "token_type_ids" -> types[i];
                    default -> throw new AssertionError("unexpected input " + name);
                });
                inputs.put(name, values);
            }
            return run(session, inputs, 1, ids.length);
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
    }
}
