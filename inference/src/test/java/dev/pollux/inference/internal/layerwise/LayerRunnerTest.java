package dev.pollux.inference.internal.layerwise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.encoder.DecodedStates;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.engine.FormulaModel;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model that runs layer by layer gives the states that the engine gives. */
@NoLeaks
class LayerRunnerTest {

    /** Of a state, relative to the largest: sums in another order. */
    private static final double TOLERANCE = 2e-4;

    private static final int[] IDS = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};

    @TempDir
    Path temp;

    private Path llama = Path.of("");

    @BeforeEach
    void write() throws Exception {
        llama = Files.createDirectories(temp.resolve("llama"));
        TinyCheckpoint.decoder(Files.createDirectories(temp.resolve("plain")), "LlamaForCausalLM")
                .renamed(llama, name -> "model." + name)
                .json("architectures", "['LlamaForCausalLM']")
                .set("tie_word_embeddings", true)
                .write();
    }

    private static LayerRunner runner(Checkpoint checkpoint) {
        return LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), 64, 1);
    }

    /** The normed states after the last layer, of each text. */
    private static List<float[]> states(Path model, List<int[]> texts) {
        float[][] found = new float[texts.size()][];
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LayerRunner runner = runner(checkpoint);
            try (HiddenStates states = runner.embed(texts, JobContext.NONE)) {
                for (int i = 0; i < runner.layers(); i++) {
                    assertThat(states.next()).isEqualTo(i);
                    try (LayerRunner.Layer layer = runner.layer(i, JobContext.NONE)) {
                        layer.advance(states, JobContext.NONE);
                    }
                }
                try (LayerRunner.Layer norm = runner.lastNorm(JobContext.NONE)) {
                    norm.advance(states, JobContext.NONE);
                }
                states.forEach((text, values) -> found[text] = values);
            }
        }
        return List.of(found);
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

    static List<Path> reference() {
        return ReferenceData.cases(
                ReferenceData.golden("decoder"), path -> Files.isRegularFile(path.resolve("config.json")));
    }

    @ParameterizedTest
    @MethodSource("reference")
    void everyReferenceDecoderGivesTheStatesOfTheEngine(Path checkpoint) {
        List<float[]> found = states(checkpoint, List.of(IDS, new int[] {2, 7}, Arrays.copyOf(IDS, 5)));

        float[] due = DecodedStates.of(checkpoint, temp, IDS);
        int width = due.length / IDS.length;
        assertClose(found.get(0), due, checkpoint + ": the longest text");
        assertClose(found.get(2), Arrays.copyOf(due, 5 * width), checkpoint + ": a shorter text");
        assertThat(found.get(1)).hasSize(2 * width);
    }

    static List<String> families() {
        return FormulaModel.names();
    }

    @ParameterizedTest
    @MethodSource("families")
    void everyFamilyGivesTheStatesOfTheEngine(String family) throws IOException {
        FormulaModel model = FormulaModel.read(family);
        model.write(temp.resolve("model"));
        int[] ids = model.prompt();
        List<float[]> found = states(temp.resolve("model"), List.of(ids, Arrays.copyOf(ids, 3)));

        float[] due = DecodedStates.of(temp.resolve("model"), temp, ids);
        assertClose(found.get(0), due, family);
        assertClose(found.get(1), Arrays.copyOf(due, due.length / ids.length * 3), family + ": a shorter text");
    }

    @Test
    void aTextGivesTheSameAloneAndAmongMany() {
        List<int[]> many = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            many.add(Arrays.copyOf(IDS, 1 + i % IDS.length)); // more tokens than one batch has
        }
        List<float[]> found = states(llama, many);
        for (int text = 0; text < IDS.length; text++) {
            float[] alone = states(llama, List.of(many.get(text))).get(0);
            for (int i = text; i < many.size(); i += IDS.length) {
                assertClose(found.get(i), alone, "text " + i);
            }
        }
    }

    @Test
    void theInputsOfMatricesAreThoseOfTheirProducts() {
        Map<String, float[]> inputs = new TreeMap<>();
        Map<String, Integer> sizes = new TreeMap<>(); // in tokens
        List<float[]> before = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            LayerRunner runner = runner(checkpoint);
            try (HiddenStates states = runner.embed(List.of(IDS, new int[] {7}), JobContext.NONE);
                    LayerRunner.Layer layer = runner.layer(0, JobContext.NONE)) {
                assertThat(runner.linearInputs(0))
                        .extracting(LinearInput::matrices)
                        .containsExactly(
                                List.of(
                                        "model.layers.0.self_attn.q_proj.weight",
                                        "model.layers.0.self_attn.k_proj.weight",
                                        "model.layers.0.self_attn.v_proj.weight"),
                                List.of("model.layers.0.self_attn.o_proj.weight"),
                                List.of("model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.up_proj.weight"),
                                List.of("model.layers.0.mlp.down_proj.weight"));
                layer.readInputs(
                        states,
                        (input, x) -> {
                            inputs.putIfAbsent(input.matrices().get(0), x);
                            sizes.merge(input.matrices().get(0), x.length / input.width(), Integer::sum);
                        },
                        JobContext.NONE);
                states.forEach((text, values) -> before.add(values));
                float[] norm = checkpoint.tensors().floats("model.layers.0.input_layernorm.weight");
                int width = norm.length;
                float[] x = inputs.get("model.layers.0.self_attn.q_proj.weight");
                float[] alone = before.get(0); // the shorter text comes first
                assertThat(alone).hasSize(width);
                double square = 0;
                for (float value : alone) {
                    square += (double) value * value / width;
                }
                double epsilon = checkpoint.config().normEpsilon();
                for (int i = 0; i < width; i++) {
                    assertThat((double) x[i]).isCloseTo(alone[i] * norm[i] / Math.sqrt(square + epsilon), within(1e-5));
                }
                assertThat(sizes)
                        .hasSize(4)
                        .allSatisfy((matrix, tokens) -> assertThat(tokens).isEqualTo(IDS.length + 1));
            }
        }
    }

    @Test
    void anExpertReadsItsOwnTokens() {
        int experts = 5;
        TinyDecoder.mixtral(3, experts).write(temp.resolve("mixtral"));
        Map<String, float[]> inputs = new TreeMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("mixtral"))) {
            LayerRunner runner = runner(checkpoint);
            try (HiddenStates states = runner.embed(List.of(IDS), JobContext.NONE);
                    LayerRunner.Layer layer = runner.layer(0, JobContext.NONE)) {
                layer.readInputs(
                        states, (input, x) -> input.matrices().forEach(name -> inputs.put(name, x)), JobContext.NONE);
            }
            int tokens = 0;
            for (int e = 0; e < experts; e++) {
                String at = "model.layers.0.block_sparse_moe.experts." + e + ".";
                float[] x = inputs.get(at + "w1.weight");
                assertThat(inputs.get(at + "w3.weight")).isSameAs(x);
                int rows = x.length / TinyDecoder.WIDTH;
                tokens += rows;
                float[] gate = checkpoint.tensors().floats(at + "w1.weight");
                float[] up = checkpoint.tensors().floats(at + "w3.weight");
                for (int i = 0; i < rows * TinyDecoder.INNER; i++) {
                    double g = dot(gate, i % TinyDecoder.INNER, x, i / TinyDecoder.INNER);
                    double u = dot(up, i % TinyDecoder.INNER, x, i / TinyDecoder.INNER);
                    assertThat((double) inputs.get(at + "w2.weight")[i])
                            .isCloseTo(g / (1 + Math.exp(-g)) * u, within(1e-4));
                }
            }
            assertThat(tokens).isEqualTo(2 * IDS.length); // each token has two experts
        }
    }

    private static double dot(float[] matrix, int row, float[] x, int token) {
        double sum = 0;
        for (int i = 0; i < TinyDecoder.WIDTH; i++) {
            sum += (double) matrix[row * TinyDecoder.WIDTH + i] * x[token * TinyDecoder.WIDTH + i];
        }
        return sum;
    }

    @Test
    void anotherLayerThanTheNextIsRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            LayerRunner runner = runner(checkpoint);
            assertThatThrownBy(() -> runner.layer(2, JobContext.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("layer must be in [0, 1] but was 2");
            try (HiddenStates states = runner.embed(List.of(IDS), JobContext.NONE);
                    LayerRunner.Layer layer = runner.layer(1, JobContext.NONE)) {
                assertThatThrownBy(() -> layer.advance(states, JobContext.NONE))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("layer 1 must not run on the states before layer 0");
                assertThatThrownBy(() -> runner.layer(0, JobContext.NONE))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("a layer must be closed before the next is opened");
            }
        }
    }

    @Test
    void neitherALayerNorStatesAreUsedAfterTheyWereClosed() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            LayerRunner runner = runner(checkpoint);
            HiddenStates states = runner.embed(List.of(IDS), JobContext.NONE);
            LayerRunner.Layer layer = runner.layer(0, JobContext.NONE);
            layer.close();
            assertThatThrownBy(() -> layer.advance(states, JobContext.NONE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("layer 0 must not run after it was closed");
            try (LayerRunner.Layer next = runner.layer(0, JobContext.NONE)) {
                layer.close(); // again, which changes nothing
                assertThatThrownBy(() -> runner.layer(1, JobContext.NONE)).isInstanceOf(IllegalStateException.class);
                next.advance(states, JobContext.NONE);
            }
            states.close();
            assertThatThrownBy(() -> states.forEach((text, values) -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("hidden states must not be read after they were closed");
        }
    }

    /** Also for experts, some of which have no tokens, and in every batch. */
    @Test
    void momentsAreSumsOverTheInputs() {
        TinyDecoder.mixtral(3, 5).write(temp.resolve("mixtral"));
        for (Path model : List.of(llama, temp.resolve("mixtral"))) {
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                LayerRunner runner = runner(checkpoint);
                List<int[]> texts = List.of(IDS, new int[] {7}, new int[] {7, 3});
                try (HiddenStates states = runner.embed(texts, JobContext.NONE);
                        LayerRunner.Layer layer = runner.layer(0, JobContext.NONE)) {
                    Map<LinearInput, List<float[]>> read = new HashMap<>();
                    layer.readInputs(
                            states,
                            (input, x) -> read.computeIfAbsent(input, key -> new ArrayList<>())
                                    .add(x),
                            JobContext.NONE);
                    Map<LinearInput, InputMoments> found =
                            layer.moments(states, runner.linearInputs(0), JobContext.NONE);
                    assertThat(found.keySet()).isEqualTo(read.keySet());
                    found.forEach((input, moments) -> assertMoments(input, moments, read.get(input)));
                }
            }
        }
    }

    private static void assertMoments(LinearInput input, InputMoments moments, List<float[]> read) {
        int width = input.width();
        double[] gram = new double[width * width];
        double[] magnitudes = new double[width];
        long tokens = 0;
        for (float[] x : read) {
            tokens += x.length / width;
            for (int at = 0; at < x.length; at += width) {
                for (int i = 0; i < width; i++) {
                    magnitudes[i] += Math.abs(x[at + i]);
                    for (int j = 0; j <= i; j++) {
                        gram[i * width + j] += (double) x[at + i] * x[at + j];
                    }
                }
            }
        }
        assertThat(moments.tokens()).as(input.value()).isEqualTo(tokens);
        double most = Math.max(1e-30, Arrays.stream(gram).map(Math::abs).max().orElseThrow());
        for (int i = 0; i < width; i++) {
            assertThat(moments.magnitudes()[i]).isCloseTo(magnitudes[i], within(TOLERANCE * Math.sqrt(most) * tokens));
            for (int j = 0; j <= i; j++) {
                assertThat(moments.gram()[i][j]).isCloseTo(gram[i * width + j], within(TOLERANCE * most));
            }
        }
    }

    @Test
    void anInputIsInAStageAfterTheProductsThatItDependsOn() {
        TinyDecoder.mixtral(3, 2).write(temp.resolve("mixtral"));
        try (Checkpoint dense = Checkpoint.open(llama);
                Checkpoint mixture = Checkpoint.open(temp.resolve("mixtral"))) {
            assertThat(runner(dense).stages(1))
                    .hasSize(4)
                    .allSatisfy(stage -> assertThat(stage).hasSize(1));
            assertThat(runner(mixture).stages(1))
                    .extracting(stage -> stage.get(0).matrices().get(0))
                    .containsExactly(
                            "model.layers.1.self_attn.q_proj.weight",
                            "model.layers.1.self_attn.o_proj.weight",
                            "model.layers.1.block_sparse_moe.gate.weight",
                            "model.layers.1.block_sparse_moe.experts.0.w1.weight",
                            "model.layers.1.block_sparse_moe.experts.0.w2.weight");
            assertThat(runner(mixture).stages(1).get(4)).hasSize(2);
        }
    }

    @Test
    void aReplacedMatrixCountsUntilTheLayerIsClosed() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            LayerRunner runner = runner(checkpoint);
            LinearProduct product = runner.products(0).get(runner.products(0).size() - 1);
            LinearProduct output = runner.products(0).stream()
                    .filter(one -> one.matrices().get(0).endsWith("o_proj.weight"))
                    .findFirst()
                    .orElseThrow();
            try (HiddenStates states = runner.embed(List.of(IDS), JobContext.NONE)) {
                float[][] x = new float[2][];
                states.forEach((text, values) -> x[0] = values);
                try (LayerRunner.Layer layer = runner.layer(0, JobContext.NONE)) {
                    for (LinearProduct one : List.of(product, output)) {
                        layer.replace(one.factor(), new float[one.rows() * one.columns()], one.columns());
                    }
                    assertThatThrownBy(() -> layer.replace(product.factor(), new float[3], 3))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessage(product.factor() + " must have " + product.rows() * product.columns()
                                    + " elements but was given 3");
                    assertThatThrownBy(() -> layer.replace("none", new float[3], 3))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessage("the open layer has no weight none");
                    layer.advance(states, JobContext.NONE);
                }
                states.forEach((text, values) -> x[1] = values);
                assertThat(x[1]).isEqualTo(x[0]); // neither attention nor the MLP adds anything
            }
        }
    }

    @Test
    void weightsAreReadWhenALayerIsOpened() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            Silenced tensors = new Silenced(checkpoint.tensors());
            LayerRunner runner = LayerRunner.of(checkpoint.config(), checkpoint.settings(), tensors, 64, 1);
            try (HiddenStates states = runner.embed(List.of(IDS), JobContext.NONE)) {
                float[][] x = new float[2][];
                states.forEach((text, values) -> x[0] = values);
                runner.layer(0, JobContext.NONE).close();
                tensors.silent = true;
                try (LayerRunner.Layer layer = runner.layer(0, JobContext.NONE)) {
                    layer.advance(states, JobContext.NONE);
                }
                states.forEach((text, values) -> x[1] = values);
                assertThat(x[1]).isEqualTo(x[0]); // a layer of zeros adds nothing
            }
        }
    }

    /** A file whose matrices become zeros. */
    private static final class Silenced implements TensorFile {

        private final TensorFile file;
        private boolean silent;

        private Silenced(TensorFile file) {
            this.file = file;
        }

        @Override
        public Map<String, TensorInfo> tensors() {
            return file.tensors();
        }

        @Override
        public ByteBuffer bytes(String name, long offset, int length) {
            return file.bytes(name, offset, length);
        }

        @Override
        public void read(String name, long first, int count, float[] into, int at) {
            if (silent) {
                Arrays.fill(into, at, at + count, 0);
            } else {
                file.read(name, first, count, into, at);
            }
        }

        @Override
        public void close() {
            file.close();
        }
    }

    @Test
    void anIdWithoutARowIsRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            LayerRunner runner = runner(checkpoint);
            assertThatThrownBy(() -> runner.embed(List.of(new int[] {1, 16}), JobContext.NONE))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "model.embed_tokens.weight has 16 rows but a text has the token id 16; the tokenizer or the"
                                    + " configuration belongs to another model");
        }
    }

    @Test
    void aCancelledRunEndsAndLeavesNothingOpen() {
        try (Checkpoint checkpoint = Checkpoint.open(llama)) {
            Job<Integer> job = Job.of("run", context -> {
                LayerRunner runner = runner(checkpoint);
                try (HiddenStates states = runner.embed(List.of(IDS), context)) {
                    context.progress("layers", 0, 2, "layers");
                    try (LayerRunner.Layer layer = runner.layer(0, context)) {
                        layer.advance(states, context);
                    }
                    return states.next();
                }
            });
            job.onEvent(event -> job.cancel());
            assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        }
    }
}
