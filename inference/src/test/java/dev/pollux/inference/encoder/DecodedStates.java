package dev.pollux.inference.encoder;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.GraphSession;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** The last hidden states, normalized, of a decoder as the engine runs it. */
public final class DecodedStates {

    private DecodedStates() {}

    /**
     * The states of {@code ids}, (tokens · width).
     *
     * @param temp where the decoder is exported to, once
     */
    public static float[] of(Path checkpoint, Path temp, int... ids) {
        Path target = temp.resolve("decoder");
        try (Checkpoint opened = Checkpoint.open(checkpoint)) {
            ExportOptions options =
                    ExportOptions.builder().weights(WeightFormat.FLOAT).build();
            DecoderExport.export(opened, target, options).run();
        }
        Path model = target.resolve(DecoderManifest.MODEL_FILE);
        Graph cut = GraphCut.to(GraphReader.read(model), List.of("final"));
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions();
                OrtSession session = GraphSession.of(typed(cut), model, settings)) {
            long[] tokens = Arrays.stream(ids).asLongStream().toArray();
            inputs.put("input_ids", longs(tokens, 1, tokens.length));
            inputs.put("rotary_offset", longs(new long[] {0}, 1));
            inputs.put("seqlens_k", ints(ids.length - 1, 1));
            inputs.put("total_sequence_length", ints(ids.length));
            for (StateTensor state : DecoderManifest.read(target).states()) {
                long[] shape = state.shape(1, 0);
                int size = (int) LongStream.of(shape).reduce(1, Math::multiplyExact);
                inputs.put(
                        state.input(),
                        OnnxTensor.createTensor(NativeRuntime.environment(), FloatBuffer.allocate(size), shape));
            }
            Map<String, OnnxTensor> given = new HashMap<>(inputs);
            given.keySet().retainAll(session.getInputNames());
            try (OrtSession.Result result = session.run(given)) {
                FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                return values;
            }
        } catch (OrtException e) {
            throw new AssertionError(e);
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    /** The type of a value behind a branch is not inferred. */
    private static Graph typed(Graph cut) {
        Value result = cut.outputs().get(0);
        GraphBuilder graph = GraphBuilder.from(cut).withoutOutputs();
        graph.output(new Value(result.name(), ElementType.FLOAT, result.shape()));
        return graph.build();
    }

    private static OnnxTensor longs(long[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(NativeRuntime.environment(), LongBuffer.wrap(values), shape);
    }

    private static OnnxTensor ints(int value, long... shape) throws OrtException {
        return OnnxTensor.createTensor(NativeRuntime.environment(), IntBuffer.wrap(new int[] {value}), shape);
    }
}
