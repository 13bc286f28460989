package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeReport;
import dev.pollux.merging.MergeReport.Statistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeReportTest {

    /** Sums of products in floats, eight to a lane. */
    private static final double LANES = 1e-5;

    private static final String PLAN = """
            models:
              - {model: a, parameters: {weight: 0.6, density: 0.5}}
              - {model: b, parameters: {weight: [0.2, 0.8], density: 0.5}}
            merge_method: ties
            base_model: base
            dtype: bfloat16
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void models() throws IOException {
        TestModels.write(folder.resolve("base"), 1, 2, 700);
        TestModels.write(folder.resolve("a"), 2, 2, 700);
        TestModels.write(folder.resolve("b"), 3, 2, 700);
    }

    private MergeReport merge(String plan, String target, MergeOptions options) {
        return CheckpointMerger.in(folder, options)
                .merge(MergekitYaml.parse(plan), folder.resolve(target))
                .run();
    }

    private byte[] weights(String target) throws IOException {
        return Files.readAllBytes(folder.resolve(target).resolve("model.safetensors"));
    }

    @Test
    void replayGivesTheSameBytes() throws IOException {
        MergeReport first = merge(PLAN, "first", MergeOptions.builder().seed(7).build());
        MergeReport again = CheckpointMerger.in(folder)
                .replay(folder.resolve("first/merge-report.json"), folder.resolve("again"))
                .run();

        assertThat(weights("again")).isEqualTo(weights("first"));
        assertThat(again.seed()).isEqualTo(7);
        assertThat(again.inputs()).isEqualTo(first.inputs());
        assertThat(folder.resolve("again/merge-report.json"))
                .hasSameTextualContentAs(folder.resolve("first/merge-report.json"));
    }

    @Test
    void replayRefusesChangedInputs() throws IOException {
        MergeReport first = merge(PLAN, "first", MergeOptions.DEFAULTS);
        TestModels.write(folder.resolve("a"), 9, 2, 700);

        assertThatThrownBy(() -> CheckpointMerger.in(folder)
                        .replay(folder.resolve("first/merge-report.json"), folder.resolve("again"))
                        .run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("Cannot replay: a/model\\.safetensors has SHA-256 [0-9a-f]{64} but had "
                        + hash(first, "a/model.safetensors") + "; bring back the file that was merged");
        assertThat(folder.resolve("again")).doesNotExist();
    }

    private static String hash(MergeReport report, String path) {
        return report.inputs().stream()
                .filter(file -> file.path().equals(path))
                .findFirst()
                .orElseThrow()
                .sha256();
    }

    @Test
    void statisticsAreThoseOfTheFormulas() {
        Random random = new Random(4);
        int n = 40_000;
        float[][] x = new float[3][n];
        for (float[] source : x) {
            for (int i = 0; i < n; i++) {
                source[i] = random.nextInt(4) == 0 ? x[0][i] : (float) random.nextGaussian();
            }
        }
        SourceMeter meter = new SourceMeter(3, n, false);
        int window = 16_384;
        for (int first = 0; first < n; first += window) {
            int from = first;
            int to = Math.min(n, first + window);
            float[][] part = Arrays.stream(x)
                    .map(source -> Arrays.copyOfRange(source, from, to))
                    .toArray(float[][]::new);
            meter.take(part, first, to - from);
        }
        Statistics found = SourceMeter.parse(meter.text());

        double[][] d = new double[3][n];
        double conflicts = 0;
        for (int i = 0; i < n; i++) {
            d[0][i] = x[0][i];
            d[1][i] = x[1][i] - x[0][i];
            d[2][i] = x[2][i] - x[0][i];
            conflicts += d[1][i] * d[2][i] < 0 ? 1 : 0;
        }
        assertThat(found).isEqualTo(meter.statistics());
        assertThat(found.norm()).isCloseTo(Math.sqrt(dot(d[0], d[0])), within(n * LANES));
        assertThat(found.changes().get(1)).isCloseTo(Math.sqrt(dot(d[2], d[2])), within(n * LANES));
        assertThat(found.changeCosines().get(0)).isCloseTo(cosine(d[1], d[2]), within(LANES));
        assertThat(found.cosines().get(2)).isCloseTo(cosine(doubles(x[1]), doubles(x[2])), within(LANES));
        assertThat(found.conflicts()).isCloseTo(conflicts / n, within(1e-12));
    }

    private static double[] doubles(float[] x) {
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            result[i] = x[i];
        }
        return result;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double cosine(double[] a, double[] b) {
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }

    @Test
    void statisticsDoNotChangeTheWeightsAndCanBeSwitchedOff() throws IOException {
        MergeReport with = merge(PLAN, "with", MergeOptions.DEFAULTS);
        MergeReport without = merge(
                PLAN,
                "without",
                MergeOptions.builder()
                        .statistics(MergeOptions.Statistics.NONE)
                        .hashInputs(false)
                        .build());

        assertThat(weights("without")).isEqualTo(weights("with"));
        assertThat(with.tensors()).allMatch(tensor -> tensor.statistics().isPresent());
        assertThat(with.layers()).hasSize(2);
        assertThat(with.layers().get(1).conflicts()).isBetween(0.2, 0.4); // a third for three independent models
        assertThat(without.tensors()).allMatch(tensor -> tensor.statistics().isEmpty());
        assertThat(without.inputs()).isEmpty();
        assertThatThrownBy(() -> CheckpointMerger.in(folder)
                        .replay(folder.resolve("without/merge-report.json"), folder.resolve("again")))
                .hasMessage(folder.resolve("without/merge-report.json")
                        + " has no hashes of the inputs, so nothing says whether they are the same; merge by the plan");
    }

    @Test
    void pageNeedsNothingElseAndEveryCellSaysItsNumbers() throws IOException {
        merge(PLAN, "merged", MergeOptions.DEFAULTS);

        String page = Files.readString(folder.resolve("merged/merge-report.html"));

        assertThat(page).doesNotContain("<script", "http:", "https:", "src=", "@import", "url(");
        assertThat(page).contains("<h2>Change</h2>", "<h2>Agreement</h2>", "<h2>Sign conflicts</h2>", "layer 1</text>");
        assertThat(page).contains("<title>model.layers.1.mlp.up_proj.weight\nchange ");
    }

    @Test
    void plansSurviveBeingWritten() {
        String plan = """
                name: first
                merge_method: linear
                slices:
                  - sources: [{model: a, layer_range: [0, 1], parameters: {weight: 0.25}}]
                    base_model: base
                    parameters: {normalize: false}
                ---
                merge_method: dare_ties
                base_model: base
                modules:
                  default:
                    models: [{model: first}, {model: b, parameters: {weight: [{filter: mlp, value: [0.1, 1e-05]}, {value: 1}]}}]
                    parameters: {density: 0.5}
                parameters: {lambda: 2}
                dtype: float32
                out_dtype: bfloat16
                chat_template: chatml
                tokenizer:
                  source: union
                  pad_to_multiple_of: 8
                  tokens:
                    <|x|>: {source: b, force: true}
                    "\\u201equoted\\"": {source: {kind: model_token, model: b, token_id: 3}}
                    zero: {source: {kind: zero}}
                """;
        MergePlan read = MergekitYaml.parse(plan);

        assertThat(MergekitYaml.parse(PlanWriter.yaml(PlanWriter.documents(read))))
                .isEqualTo(read);
    }
}
