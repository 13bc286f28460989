package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.adapter.LoraExtractionOptions;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.internal.layerwise.HiddenStates;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gram matrices of models, and what RegMean makes of them. */
@NoLeaks
class GramCollectionTest {

    private static final String TEXT = "the quick brown fox jumps over the lazy dog and signs the scale 0 1 2 again";
    private static final int WINDOW = 8;
    private static final int MATRICES = 14;
    private static final int WIDTH = TinyDecoder.WIDTH;
    private static final String QUERY = "model.layers.1.self_attn.q_proj.weight";
    /** Of 32-bit products against 64-bit ones, relative to the largest element. */
    private static final double ROUNDING = 1e-5;

    @TempDir
    Path temp;

    private GramOptions options = GramOptions.DEFAULTS;

    @BeforeEach
    void write() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("one"));
        TinyDecoder.llama(2).write(temp.resolve("two"));
        options = GramOptions.builder()
                .window(WINDOW)
                .engine(EngineOptions.builder()
                        .threads(1)
                        .cache(temp.resolve("cache"))
                        .build())
                .build();
    }

    private GramReport collect(String model) {
        return GramCollection.in(temp, options).collect(model, TEXT).run();
    }

    private static Map<String, float[]> grams(Path file) {
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            Map<String, float[]> grams = new TreeMap<>();
            open.tensors().keySet().forEach(name -> grams.put(name, open.floats(name)));
            return grams;
        }
    }

    private int[] ids() {
        try (Tokenizer tokenizer = Tokenizer.open(temp.resolve("one").resolve("tokenizer.json"))) {
            return tokenizer.encode(TEXT, true);
        }
    }

    @Test
    void theyAreThoseOfTheInputsOfEveryLayer() {
        GramReport report = collect("one");

        Map<String, float[]> found = grams(temp.resolve("one").resolve("gram.safetensors"));
        assertThat(report.matrices()).hasSize(MATRICES).containsExactlyElementsOf(found.keySet());
        assertThat(report.left()).isEmpty();
        assertThat(report.tokens()).isEqualTo(ids().length);
        assertThat(report.bytes()).isEqualTo(2L * Float.BYTES * (6 * WIDTH * WIDTH + 48 * 48));
        List<int[]> windows = new ArrayList<>();
        for (int from = 0; from < ids().length; from += WINDOW) {
            windows.add(Arrays.copyOfRange(ids(), from, Math.min(ids().length, from + WINDOW)));
        }
        Map<String, double[]> due = new TreeMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("one"))) {
            LayerRunner runner =
                    LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), WINDOW, 1);
            try (HiddenStates states = runner.embed(windows, JobContext.NONE)) {
                for (int i = 0; i < runner.layers(); i++) {
                    try (LayerRunner.Layer layer = runner.layer(i, JobContext.NONE)) {
                        layer.readInputs(
                                states,
                                (input, x) -> input.matrices()
                                        .forEach(matrix ->
                                                due.merge(matrix, gram(x, input.width()), GramCollectionTest::sum)),
                                JobContext.NONE);
                        layer.advance(states, JobContext.NONE);
                    }
                }
            }
        }
        assertThat(due.keySet()).isEqualTo(found.keySet());
        due.forEach((matrix, gram) -> assertClose(found.get(matrix), gram));
    }

    private static double[] sum(double[] one, double[] other) {
        double[] sum = new double[one.length];
        Arrays.setAll(sum, i -> one[i] + other[i]);
        return sum;
    }

    /** Σ xxᵀ; {@code x} is (tokens, width). */
    private static double[] gram(float[] x, int width) {
        double[] gram = new double[width * width];
        for (int at = 0; at < x.length; at += width) {
            for (int i = 0; i < gram.length; i++) {
                gram[i] += (double) x[at + i / width] * x[at + i % width];
            }
        }
        return gram;
    }

    private static void assertClose(float[] found, double[] due) {
        double most = Arrays.stream(due).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < due.length; i++) {
            assertThat((double) found[i]).isCloseTo(due[i], within(ROUNDING * most));
        }
    }

    @Test
    void anAdapterHasItsOwn() {
        LoraExtraction.in(
                        temp,
                        LoraExtractionOptions.builder()
                                .rank(WIDTH)
                                .embeddings(LoraExtractionOptions.Embeddings.WHOLE)
                                .build())
                .extract("one", "two", temp.resolve("adapter"))
                .run();

        GramReport report = collect("one+adapter");
        collect("two");

        assertThat(report.file()).isEqualTo(temp.resolve("adapter").resolve("gram.safetensors"));
        Map<String, float[]> adapted = grams(report.file());
        grams(temp.resolve("two").resolve("gram.safetensors")).forEach((name, due) -> {
            double most = 0;
            for (float value : due) {
                most = Math.max(most, Math.abs(value));
            }
            for (int i = 0; i < due.length; i++) {
                assertThat((double) adapted.get(name)[i]).isCloseTo(due[i], within(1e-3 * most));
            }
        });
        assertThat(temp.resolve("one").resolve("gram.safetensors")).doesNotExist();
    }

    @Test
    void regMeanIsNearerToBothOnTheirInputsThanTheMeanIs() {
        collect("one");
        collect("two");
        merge("linear", "weight: 0.5", "mean");
        merge("regmean", "alpha: 1", "regmean");

        assertThat(error("regmean")).isLessThan(0.9 * error("mean"));
    }

    private void merge(String method, String parameters, String target) {
        CheckpointMerger.in(temp)
                .merge(
                        MergekitYaml.parse("merge_method: " + method + "\nmodels: [{model: one}, {model: two}]\n"
                                + "parameters: {" + parameters + "}\n"),
                        temp.resolve(target))
                .run();
    }

    /** Σ ‖W'x − Wx‖² over the inputs of a matrix in both models. */
    private double error(String merged) {
        double error = 0;
        for (String model : new String[] {"one", "two"}) {
            float[] gram =
                    grams(temp.resolve(model).resolve("gram.safetensors")).get(QUERY);
            try (SafetensorsFolder before = SafetensorsFolder.open(temp.resolve(model));
                    SafetensorsFolder after = SafetensorsFolder.open(temp.resolve(merged))) {
                float[] w = before.floats(QUERY);
                float[] v = after.floats(QUERY);
                for (int row = 0; row < w.length; row += WIDTH) {
                    for (int i = 0; i < WIDTH; i++) {
                        for (int j = 0; j < WIDTH; j++) {
                            error += (double) (v[row + i] - w[row + i])
                                    * gram[i * WIDTH + j]
                                    * (v[row + j] - w[row + j]);
                        }
                    }
                }
            }
        }
        return error;
    }

    @Test
    void aPreviewSaysTheSameAndWritesNothing() throws IOException {
        GramReport preview = GramCollection.in(temp, options).preview("one", TEXT);
        assertThat(temp.resolve("cache")).doesNotExist();
        assertThat(temp.resolve("one").resolve("gram.safetensors")).doesNotExist();
        GramReport report = collect("one");
        assertThat(preview).usingRecursiveComparison().ignoringFields("elapsed").isEqualTo(report);
        assertThat(Files.size(report.file())).isGreaterThan(report.bytes());
    }

    @Test
    void whatIsThereStays() throws IOException {
        Path file = Files.writeString(temp.resolve("one").resolve("gram.safetensors"), "mine");
        assertThatThrownBy(() -> collect("one"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(file + " must not exist; delete it to collect anew");
        assertThat(file).hasContent("mine");
    }

    @Test
    void aTextWithoutTokensAndAFileWithoutAFolderAreRefused() throws IOException {
        GramCollection collection = GramCollection.in(temp, options);
        assertThatThrownBy(() -> collection.collect("one", "").run())
                .hasMessage("text must hold at least one token but is empty");
        Path file = Files.writeString(temp.resolve("model.gguf"), "");
        assertThatThrownBy(() -> collection.collect("model.gguf", TEXT).run())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(file + " is a file, and gram.safetensors is in a model's folder; put it into a folder of"
                        + " its own and name that");
    }

    @Test
    void aModelThatStoresItsMatricesTurnedIsRefused() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("gpt2"));
        TinyDecoder.writeTokenizer(folder);
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 2,
                 "n_positions": 16, "vocab_size": %d}
                """.formatted(TinyDecoder.VOCABULARY));
        SafetensorsBuilder file = new SafetensorsBuilder();
        put(file, "wte.weight", TinyDecoder.VOCABULARY, 8);
        put(file, "wpe.weight", 16, 8);
        for (String norm : List.of("h.0.ln_1", "h.0.ln_2", "ln_f")) {
            put(file, norm + ".weight", 8);
            put(file, norm + ".bias", 8);
        }
        Map.of("attn.c_attn", 24, "attn.c_proj", 8, "mlp.c_fc", 32).forEach((module, width) -> {
            put(file, "h.0." + module + ".weight", 8, width);
            put(file, "h.0." + module + ".bias", width);
        });
        put(file, "h.0.mlp.c_proj.weight", 32, 8);
        put(file, "h.0.mlp.c_proj.bias", 8);
        file.write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> GramCollection.in(temp, options).preview("gpt2", TEXT))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "gpt2 has no matrix that the engine multiplies with as it is stored, and only of such are the"
                                + " inputs known; merge it by another method");
    }

    private static void put(SafetensorsBuilder file, String name, long... shape) {
        int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        float[] values = new float[count];
        Arrays.fill(values, 0.01f);
        file.floats("transformer." + name, values, shape);
    }

    @Test
    void aCancelledCollectionLeavesNothing() throws IOException {
        Job<GramReport> job = GramCollection.in(temp, options).collect("one", TEXT);
        job.onEvent(event -> job.cancel());
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        try (Stream<Path> files = Files.list(temp.resolve("one"))) {
            assertThat(files.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder(
                            "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");
        }
    }

    @Test
    void theBuilderHasTheDefaults() {
        assertThat(GramOptions.builder().build()).isEqualTo(GramOptions.DEFAULTS);
        assertThatThrownBy(() -> GramOptions.builder().window(0).build())
                .hasMessage("window must be in [1, 4096] but was 0");
        assertThatThrownBy(() -> GramOptions.builder().memory(1).build())
                .hasMessage("memory must be at least 16777216 bytes but was 1");
    }
}
