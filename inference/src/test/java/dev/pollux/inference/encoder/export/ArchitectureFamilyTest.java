package dev.pollux.inference.encoder.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.encoder.GraphRun;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.GraphSession;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An architecture gives the same hidden states through masks as through its cache. */
@NoLeaks
class ArchitectureFamilyTest {

    /** Of a state, relative to the largest: sums in another order. */
    private static final double TOLERANCE = 2e-4;

    @TempDir
    Path temp;

    /** The last hidden states of the decoder that is exported from {@code checkpoint}. */
    private float[] decoded(Path checkpoint, int... ids) throws OrtException {
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
                long[] shape = state.shape().stream()
                        .mapToLong(size -> Math.max(0, size))
                        .toArray();
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

    private float[] encoded(Path checkpoint, int... ids) {
        Path target = temp.resolve("encoder" + ids.length);
        EncoderExport.export(checkpoint, target, EncoderWeights.FLOAT).run();
        return GraphRun.row(target.resolve(EncoderExport.MODEL_FILE), ids);
    }

    private static void assertClose(float[] actual, float[] expected, String what) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(actual).as(what).hasSize(expected.length);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as(what + " at " + i).isCloseTo(expected[i], within(TOLERANCE * largest));
        }
    }

    private Path tiny(String architecture, String prefix) throws Exception {
        Path folder = Files.createDirectories(temp.resolve(architecture));
        return TinyCheckpoint.decoder(folder, "LlamaForCausalLM")
                .renamed(folder, name -> prefix + name)
                .json("architectures", "['" + architecture + "']")
                .set("tie_word_embeddings", true)
                .set("embedding_multiplier", 3)
                .set("residual_multiplier", 0.7)
                .set("attention_multiplier", 0.4)
                .set("sliding_window", 3)
                .write()
                .folder();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Granite", "SmolLM3", "Ernie4_5", "Ministral3", "SeedOss", "Mistral", "Llama"})
    void aDecoderWithoutAHeadGivesTheStatesThatItGivesWithOne(String stem) throws Exception {
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
        float[] expected = decoded(tiny(stem + "ForCausalLM", "model."), ids);
        assertClose(encoded(tiny(stem + "Model", ""), ids), expected, stem);
    }

    @Test
    void paddingOnEitherSideChangesNothing() throws Exception {
        Path checkpoint = tiny("GraniteModel", "");
        float[] alone = encoded(checkpoint, 3, 1, 4);
        float[] before = encoded(checkpoint, -1, -1, 3, 1, 4);
        float[] after = encoded(checkpoint, 3, 1, 4, -1, -1, -1);
        int width = alone.length / 3;
        assertClose(Arrays.copyOfRange(before, 2 * width, 5 * width), alone, "before");
        assertClose(Arrays.copyOf(after, alone.length), alone, "after");
    }

    static List<Path> reference() {
        return ReferenceData.cases(
                ReferenceData.golden("decoder"), path -> Files.isRegularFile(path.resolve("config.json")));
    }

    @ParameterizedTest
    @MethodSource("reference")
    void everyReferenceDecoderGivesTheSameStates(Path checkpoint) throws Exception {
        String named = EncoderExport.isKnown(checkpoint) ? EncoderExport.architecture(checkpoint) : "";
        assumeFalse(named.isEmpty(), checkpoint + " has a class of another kind");
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
        assertClose(encoded(checkpoint, ids), decoded(checkpoint, ids), named);
    }
}
