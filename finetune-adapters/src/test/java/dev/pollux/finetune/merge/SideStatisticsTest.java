package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Methods that read files beside the weights. */
class SideStatisticsTest {

    private static final int IN = 6;
    private static final int OUT = 4;
    private static final String MATRIX = "model.layers.0.mlp.up_proj.weight";
    private static final String NORM = "model.norm.weight";

    @TempDir
    Path folder;

    private final Random random = new Random(11);

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    private void model(String name, float[] matrix, float[] norm) throws IOException {
        Path path = Files.createDirectories(folder.resolve(name));
        new SafetensorsBuilder()
                .floats(MATRIX, matrix, OUT, IN)
                .floats(NORM, norm, IN)
                .write(path.resolve("model.safetensors"));
        Files.writeString(
                path.resolve("config.json"),
                "{\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"vocab_size\": 8}");
    }

    private float[] merged(String method, String parameters, String tensor, int count) {
        Path target = folder.resolve("merged");
        CheckpointMerger.in(folder)
                .merge(
                        MergekitYaml.parse(
                                "merge_method: " + method + "\nmodels: [{model: a}, {model: b}]\n" + parameters),
                        target)
                .run();
        try (SafetensorsFolder file = SafetensorsFolder.open(target)) {
            float[] values = new float[count];
            new StoredTensor(file, file.info(tensor), "").read(0, count, values, 0);
            return values;
        }
    }

    @Test
    void fisherWeighsEachElement() throws IOException {
        float[][] w = {numbers(OUT * IN), numbers(OUT * IN)};
        float[][] f = {numbers(OUT * IN), numbers(OUT * IN)};
        for (int m = 0; m < 2; m++) {
            model(m == 0 ? "a" : "b", w[m], new float[IN]);
            for (int i = 0; i < f[m].length; i++) {
                f[m][i] = i == 0 ? 0 : f[m][i] * f[m][i];
            }
            new SafetensorsBuilder()
                    .floats(MATRIX, f[m], OUT, IN)
                    .floats(NORM, new float[IN], IN)
                    .write(folder.resolve(m == 0 ? "a" : "b").resolve("fisher.safetensors"));
        }

        float[] merged = merged("fisher", "", MATRIX, OUT * IN);

        assertThat(merged[0]).isCloseTo((w[0][0] + w[1][0]) / 2, within(1e-6f));
        for (int i = 1; i < merged.length; i++) {
            double due = ((double) f[0][i] * w[0][i] + (double) f[1][i] * w[1][i]) / ((double) f[0][i] + f[1][i]);
            assertThat((double) merged[i]).isCloseTo(due, within(1e-5));
        }
    }

    @Test
    void aMissingFisherFileIsSaidBeforeAnythingIsWritten() throws IOException {
        model("a", numbers(OUT * IN), numbers(IN));
        model("b", numbers(OUT * IN), numbers(IN));

        assertThatThrownBy(() -> merged("fisher", "", MATRIX, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "model a has no such tensor in fisher.safetensors; collect it for all models (pollux"
                                + " collect-fisher), or use linear");
        assertThat(folder.resolve("merged")).doesNotExist();
    }

    /** Two models that agree with one true matrix on the inputs that they saw: only together do they know all of it. */
    @Test
    void regMeanTakesFromEachModelWhatItsInputsTell() throws IOException {
        float[] truth = numbers(OUT * IN);
        float[][] w = {truth.clone(), truth.clone()};
        float[][] gram = new float[2][IN * IN];
        for (int m = 0; m < 2; m++) {
            for (int sample = 0; sample < 40; sample++) {
                float[] x = numbers(IN);
                for (int k = 0; k < IN; k++) {
                    x[k] = k / 3 == m ? x[k] : 0; // each sees half of the inputs
                }
                for (int k = 0; k < IN * IN; k++) {
                    gram[m][k] += x[k / IN] * x[k % IN];
                }
            }
            for (int i = 0; i < OUT * IN; i++) {
                w[m][i] += i % IN / 3 == m ? 0 : 5; // and is wrong about the other half
            }
            model(m == 0 ? "a" : "b", w[m], new float[] {m, 2, 2, 2, 2, 2});
            new SafetensorsBuilder()
                    .floats(MATRIX, gram[m], IN, IN)
                    .write(folder.resolve(m == 0 ? "a" : "b").resolve("gram.safetensors"));
        }

        float[] merged = merged("regmean", "parameters: {alpha: 1}\n", MATRIX, OUT * IN);

        for (int i = 0; i < merged.length; i++) {
            assertThat(merged[i]).isCloseTo(truth[i], within(1e-5f));
        }
        try (SafetensorsFolder file = SafetensorsFolder.open(folder.resolve("merged"))) {
            float[] norm = new float[IN];
            new StoredTensor(file, file.info(NORM), "").read(0, IN, norm, 0);
            assertThat(norm).containsExactly(0.5f, 2, 2, 2, 2, 2); // without a Gram matrix the mean
        }
    }

    /** Widths that are no multiple of a block, and rows of less and more than a panel. */
    @ParameterizedTest
    @CsvSource({"1, 2", "5, 2", "16, 64", "37, 150", "70, 65"})
    void regMeanSolvesItsNormalEquations(int n, int rows) {
        float[][] w = {numbers(rows * n), numbers(rows * n)};
        float[][] gram = new float[2][n * n];
        for (int m = 0; m < 2; m++) {
            for (int sample = 0; sample < 4 * n; sample++) {
                float[] x = numbers(n);
                for (int k = 0; k < n * n; k++) {
                    gram[m][k] += x[k / n] * x[k % n];
                }
            }
        }
        float[] merged = FakeWindows.of(n, w).merge(new RegMean(List.of(1.0, 0.5), 0.9, i -> gram[i]));

        assertThat(merged).hasSize(rows * n);
        for (int row = 0; row < rows; row++) {
            for (int j = 0; j < n; j++) {
                double left = 0;
                double right = 0;
                for (int m = 0; m < 2; m++) {
                    for (int k = 0; k < n; k++) {
                        double g = (m == 0 ? 1 : 0.5) * gram[m][k * n + j] * (k == j ? 1 : 0.9);
                        left += merged[row * n + k] * g;
                        right += w[m][row * n + k] * g;
                    }
                }
                assertThat(left).isCloseTo(right, within(1e-4));
            }
        }
    }
}
