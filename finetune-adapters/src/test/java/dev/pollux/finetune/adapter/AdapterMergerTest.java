package dev.pollux.finetune.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.internal.math.SingularValues;
import dev.pollux.job.JobEvent;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterMergerTest {

    private static final int OUT = 9;
    private static final int IN = 7;
    private static final int RANK = 2;
    private static final String MODULE = "model.layers.0.self_attn.q_proj";
    private static final double SCALE = 4; // alpha 8 over rank 2

    /** Factors are stored in 32-bit floats. */
    private static final double STORED = 1e-5;

    @TempDir
    Path folder;

    private final double[][][] a = new double[2][][];
    private final double[][][] b = new double[2][][];

    @BeforeEach
    void adapters() throws IOException {
        Random random = new Random(5);
        for (int i = 0; i < 2; i++) {
            a[i] = matrix(random, RANK, IN);
            b[i] = matrix(random, OUT, RANK);
            write("adapter-" + i, a[i], b[i]);
        }
    }

    private static double[][] matrix(Random random, int rows, int columns) {
        double[][] matrix = new double[rows][columns];
        for (double[] row : matrix) {
            Arrays.setAll(row, j -> (float) random.nextGaussian());
        }
        return matrix;
    }

    private void write(String name, double[][] down, double[][] up) throws IOException {
        Path path = Files.createDirectories(folder.resolve(name));
        new SafetensorsBuilder()
                .floats("base_model.model." + MODULE + ".lora_A.weight", flat(down), down.length, down[0].length)
                .floats("base_model.model." + MODULE + ".lora_B.weight", flat(up), up.length, up[0].length)
                .write(path.resolve("adapter_model.safetensors"));
        Files.writeString(
                path.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": " + 4 * down.length
                        + ", \"target_modules\": [\"q_proj\"]}");
    }

    private static float[] flat(double[][] matrix) {
        float[] flat = new float[matrix.length * matrix[0].length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) matrix[i / matrix[0].length][i % matrix[0].length];
        }
        return flat;
    }

    private double[][] merged(AdapterMethod method, double first, double second) {
        Path target = folder.resolve("merged");
        AdapterMerger.with(method)
                .adapter(folder.resolve("adapter-0"), first)
                .adapter(folder.resolve("adapter-1"), second)
                .merge(target)
                .run();
        try (LoraAdapter written = LoraAdapter.load(target)) {
            Factors factors = Factors.of(written.factors(MODULE + ".weight").orElseThrow());
            assertThat(factors.scale()).isEqualTo(1);
            return Factors.product(factors.b(), factors.a());
        }
    }

    private double[][] sum(double first, double second) {
        double[][] sum = Factors.product(b[0], a[0]);
        double[][] other = Factors.product(b[1], a[1]);
        for (int i = 0; i < OUT; i++) {
            for (int j = 0; j < IN; j++) {
                sum[i][j] = SCALE * (first * sum[i][j] + second * other[i][j]);
            }
        }
        return sum;
    }

    private static void assertNear(double[][] found, double[][] due) {
        for (int i = 0; i < due.length; i++) {
            assertThat(found[i]).containsExactly(due[i], within(STORED * 10));
        }
    }

    @Test
    void concatenationIsTheWeightedSum() {
        assertNear(merged(new AdapterMethod.Concatenated(), 0.6, -0.4), sum(0.6, -0.4));
    }

    @Test
    void coreSpaceLosesNothing() {
        assertNear(merged(AdapterMethod.CoreSpace.truncated(8), 0.6, -0.4), sum(0.6, -0.4));
    }

    @Test
    void truncationKeepsTheLargestSingularValues() {
        double[][] found = merged(AdapterMethod.CoreSpace.truncated(1), 1, 1);

        SingularValues due = SingularValues.of(sum(1, 1));
        double error = 0;
        double rest = 0;
        double[][] whole = sum(1, 1);
        for (int i = 0; i < OUT; i++) {
            for (int j = 0; j < IN; j++) {
                error += Math.pow(found[i][j] - whole[i][j], 2);
            }
        }
        for (int k = 1; k < IN; k++) {
            rest += due.values()[k] * due.values()[k];
        }
        assertThat(error).isCloseTo(rest, within(1e-3)); // no matrix of rank 1 is nearer (Eckart, Young 1936)
    }

    @Test
    void twoEqualAdaptersStayWhatTheyAreWhateverIsElected() throws IOException {
        write("adapter-1", a[0], b[0]);
        double[][] one = Factors.product(b[0], a[0]);
        for (double[] row : one) {
            Arrays.setAll(row, j -> SCALE * row[j]);
        }
        assertNear(merged(new AdapterMethod.CoreSpace(1, true, 4), 0.5, 0.5), one);
    }

    @Test
    void factorsAreMergedAsPeftDoes() {
        double[][] found = merged(AdapterMethod.OnFactors.LINEAR, 0.6, 0.4);

        double[][] up = new double[OUT][RANK];
        double[][] down = new double[RANK][IN];
        double[] c = {Math.sqrt(0.6 * SCALE), Math.sqrt(0.4 * SCALE)};
        for (int i = 0; i < 2; i++) {
            for (int k = 0; k < RANK; k++) {
                for (int row = 0; row < OUT; row++) {
                    up[row][k] += c[i] * b[i][row][k];
                }
                for (int j = 0; j < IN; j++) {
                    down[k][j] += c[i] * a[i][k][j];
                }
            }
        }
        assertNear(found, Factors.product(up, down));
    }

    @Test
    void tiesOnFactorsTakesTheMeanOfWhatHasTheMajoritysSign() {
        Factors first = new Factors(new double[][] {{1}, {-2}}, new double[][] {{1, 4}}, 1);
        Factors second = new Factors(new double[][] {{3}, {1}}, new double[][] {{-2, 2}}, 1);

        Factors merged = new FactorMerge(java.util.List.of(1.0, 4.0), java.util.List.of(first, second), 0)
                .by(new AdapterMethod.OnFactors(1, AdapterMethod.Thinning.MAGNITUDE, true));

        assertThat(merged.b()[0][0]).isEqualTo((1 + 2 * 3) / 2.0);
        assertThat(merged.b()[1][0]).isEqualTo(-2);
        assertThat(merged.a()[0]).containsExactly(2 * -2, (4 + 2 * 2) / 2.0);
    }

    @Test
    void otherRanksAreRefusedWhereFactorsAreMerged() throws IOException {
        write("adapter-1", matrix(new Random(1), 3, IN), matrix(new Random(2), OUT, 3));

        assertThatThrownBy(() -> merged(AdapterMethod.OnFactors.LINEAR, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot merge " + MODULE + ".weight: ranks are 2 and 3, and factors are merged element by"
                        + " element; use CoreSpace or Concatenated");
        assertThat(folder.resolve("merged")).doesNotExist();
    }

    @Test
    void singularValuesComposeTheMatrix() {
        double[][] matrix = matrix(new Random(3), 8, 5);
        SingularValues found = SingularValues.of(matrix);
        for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 5; j++) {
                double sum = 0;
                for (int k = 0; k < 5; k++) {
                    sum += found.u()[i][k] * found.values()[k] * found.v()[j][k];
                }
                assertThat(sum).isCloseTo(matrix[i][j], within(1e-10));
            }
        }
    }

    private void adapter(String name, String settings, SafetensorsBuilder file) throws IOException {
        Path path = Files.createDirectories(folder.resolve(name));
        file.write(path.resolve("adapter_model.safetensors"));
        Files.writeString(path.resolve("adapter_config.json"), "{\"r\": 1, \"lora_alpha\": 1" + settings + "}");
    }

    private static SafetensorsBuilder factors(String module) {
        return new SafetensorsBuilder()
                .floats(module + ".lora_A.weight", new float[] {1, 2}, 1, 2)
                .floats(module + ".lora_B.weight", new float[] {3, 4}, 2, 1);
    }

    private AdapterMerger both() {
        return AdapterMerger.with(new AdapterMethod.Concatenated())
                .adapter(folder.resolve("one"), 1)
                .adapter(folder.resolve("two"), 1);
    }

    @Test
    void settingsOfTheResultAreOfItsOwnModules() throws IOException {
        adapter(
                "one",
                ", \"target_modules\": [\"q\"], \"layers_to_transform\": [0], \"layers_pattern\": \"layers\","
                        + " \"exclude_modules\": [\"v\"], \"init_lora_weights\": \"gaussian\", \"lora_dropout\": 0.1",
                factors("base_model.model.model.layers.0.q"));
        adapter(
                "two",
                ", \"target_modules\": \".*layers.*q\"",
                factors("base_model.model.layers.0.q") // of the class without a head
                        .floats("base_model.model.layers.1.q.lora_A.default.weight", new float[] {1, 2}, 1, 2)
                        .floats("base_model.model.layers.1.q.lora_B.default.weight", new float[] {3, 4}, 2, 1));
        both().merge(folder.resolve("both")).run();
        ObjectNode config =
                JsonFile.object(folder.resolve("both/adapter_config.json")).orElseThrow();
        for (String setting : List.of("layers_to_transform", "layers_pattern", "exclude_modules")) {
            assertThat(config.path(setting).isNull()).as(setting).isTrue();
        }
        assertThat(config.path("init_lora_weights").asBoolean(false)).isTrue();
        assertThat(config.path("lora_dropout").asDouble()).isEqualTo(0.1);
        assertThat(config.path("target_modules"))
                .extracting(module -> module.asString())
                .containsExactly("layers.1.q", "model.layers.0.q");
        assertThat(config.path("rank_pattern").path("layers.1.q").asInt()).isEqualTo(1);
        try (LoraAdapter written = LoraAdapter.load(folder.resolve("both"))) {
            assertThat(written.targets()).containsExactly("layers.1.q.weight", "model.layers.0.q.weight");
            Factors sum = Factors.of(written.factors("model.layers.0.q.weight").orElseThrow());
            assertThat(Factors.product(sum.b(), sum.a())).isDeepEqualTo(new double[][] {{6, 12}, {8, 16}});
        }
    }

    @Test
    void factorsOfEmbeddingsAreAddedUpToo() throws IOException {
        for (String name : List.of("one", "two")) {
            adapter(
                    name,
                    ", \"target_modules\": [\"embed_tokens\"]",
                    new SafetensorsBuilder()
                            .floats("model.embed_tokens.lora_embedding_A", new float[] {1, 2, 3}, 1, 3)
                            .floats("model.embed_tokens.lora_embedding_B", new float[] {1, 10}, 2, 1));
        }
        both().merge(folder.resolve("both")).run();
        try (LoraAdapter written = LoraAdapter.load(folder.resolve("both"))) {
            assertThat(written.isEmbedding("model.embed_tokens.weight")).isTrue();
            Factors sum =
                    Factors.of(written.factors("model.embed_tokens.weight").orElseThrow());
            assertThat(Factors.product(sum.b(), sum.a())).isDeepEqualTo(new double[][] {{2, 4, 6}, {20, 40, 60}});
        }
    }

    @Test
    void adaptersThatAreNoSumOfProductsAreRefused() throws IOException {
        adapter("one", "", factors("q"));
        String advice =
                ", and only products of factors can be added up; merge each adapter with the base (base+adapter) and"
                        + " then the models";
        String two = "The adapter " + folder.resolve("two") + " has ";
        adapter("two", ", \"use_dora\": true", factors("q").floats("q.lora_magnitude_vector", new float[2], 2));
        assertThatThrownBy(() -> both().preview())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(two + "DoRA magnitudes of q.weight" + advice);
        adapter("two", "", factors("q").floats("lm_head.weight", new float[4], 2, 2));
        assertThatThrownBy(() -> both().preview())
                .hasMessage(two + "lm_head.weight of shape [2, 2] as a whole" + advice);
        adapter("two", "", factors("q").floats("q.lora_B.bias", new float[2], 2));
        assertThatThrownBy(() -> both().preview()).hasMessage(two + "a change of q.bias" + advice);
        adapter(
                "two",
                ", \"trainable_token_indices\": [0]",
                factors("q").floats("embed_tokens.token_adapter.trainable_tokens_delta", new float[2], 1, 2));
        assertThatThrownBy(() -> both().preview()).hasMessage(two + "rows of tokens of embed_tokens.weight" + advice);
    }

    @Test
    void valuesThatBecomeInfiniteAreNoted() throws IOException {
        b[0][0][0] = 3e38;
        write("adapter-0", a[0], b[0]);
        List<String> notices = new ArrayList<>();
        AdapterMerger.with(new AdapterMethod.Concatenated())
                .adapter(folder.resolve("adapter-0"), 4)
                .adapter(folder.resolve("adapter-1"), 1)
                .merge(folder.resolve("large"))
                .onEvent(event -> {
                    if (event instanceof JobEvent.Notice notice) {
                        notices.add(notice.message());
                    }
                })
                .run();
        assertThat(notices)
                .containsExactly(
                        "the adapter holds 1 values that are not finite (NaN or infinite), in base_model.model."
                                + MODULE + ".lora_B.weight; it will not compute");
    }
}
