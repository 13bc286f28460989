package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Random methods by the statistics of many seeds, against those of 200 seeds evaluated from the formulas. */
@NoLeaks
class MergeStatisticsTest {

    private static final int SEEDS = 60;

    /** The README's bound: 5 standard deviations of the difference of two means. */
    private static final double DEVIATIONS = 5;

    private static final String PROBED = "model.layers.0.self_attn.k_proj.weight";

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> seedsHaveTheStatisticsOfTheFormulas() {
        Path statistics = ReferenceData.golden("merge/statistics");
        Path set = statistics.getParent();
        return ReferenceData.cases(statistics, path -> path.toString().endsWith(".yml")).stream()
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(set, file)));
    }

    private void check(Path set, Path file) throws IOException {
        String id = file.getFileName().toString().replace(".yml", "");
        ObjectNode expected =
                JsonFile.object(set.resolve("statistics/" + id + ".json")).orElseThrow();
        MergePlan plan = MergekitYaml.read(file);
        String base = plan.base().orElseThrow().model();
        Map<String, double[]> sums = new TreeMap<>(); // mean, rms, unchanged
        double[][] probed = new double[1][];
        for (int seed = 0; seed < SEEDS; seed++) {
            Path target = temp.resolve(id + seed);
            MergeOptions options = MergeOptions.builder().seed(seed).build();
            CheckpointMerger.in(set.resolve("models"), options)
                    .merge(plan, target)
                    .run();
            try (SafetensorsFolder merged = SafetensorsFolder.open(target);
                    SafetensorsFolder origin = SafetensorsFolder.open(set.resolve("models/" + base))) {
                for (String name : merged.tensors().keySet()) {
                    float[] delta = delta(merged.floats(name), origin.floats(name));
                    add(sums.computeIfAbsent(name, n -> new double[3]), delta);
                    if (name.equals(PROBED)) {
                        probed[0] = probed[0] == null ? new double[delta.length] : probed[0];
                        for (int i = 0; i < delta.length; i++) {
                            probed[0][i] += delta[i] / SEEDS;
                        }
                    }
                }
            }
        }
        expected.path("tensors").properties().forEach(entry -> compare(entry.getKey(), entry.getValue(), sums));
        checkProbed(set, id, expected, base, probed[0]);
    }

    private static float[] delta(float[] merged, float[] base) {
        float[] delta = new float[merged.length];
        for (int i = 0; i < delta.length; i++) {
            delta[i] = merged[i] - base[i];
        }
        return delta;
    }

    private static void add(double[] sums, float[] delta) {
        double sum = 0;
        double squares = 0;
        int unchanged = 0;
        for (float value : delta) {
            sum += value;
            squares += (double) value * value;
            unchanged += value == 0 ? 1 : 0;
        }
        sums[0] += sum / delta.length / SEEDS;
        sums[1] += Math.sqrt(squares / delta.length) / SEEDS;
        sums[2] += (double) unchanged / delta.length / SEEDS;
    }

    private static void compare(String tensor, JsonNode figures, Map<String, double[]> sums) {
        double[] ours = sums.get(tensor);
        String[] names = {"delta_mean", "delta_rms", "unchanged_fraction"};
        for (int i = 0; i < names.length; i++) {
            JsonNode theirs = figures.path(names[i]);
            double bound = DEVIATIONS * theirs.path("sd").asDouble() * Math.sqrt(1.0 / SEEDS + 1.0 / 200);
            assertThat(ours[i])
                    .as("%s of %s", names[i], tensor)
                    .isCloseTo(theirs.path("mean").asDouble(), within(bound + 1e-12));
        }
    }

    private static void checkProbed(Path set, String id, ObjectNode expected, String base, double[] mean) {
        try (SafetensorsFile probe = SafetensorsFile.open(set.resolve("statistics/" + id + ".k_proj.safetensors"))) {
            float[] theirs = probe.floats("mean_delta_200_seeds");
            float[] variance = probe.floats("variance_200_seeds");
            double squares = 0;
            int count = 0;
            for (int i = 0; i < mean.length; i++) {
                if (variance[i] > 1e-12) {
                    squares += Math.pow(mean[i] - theirs[i], 2) / (variance[i] * (1.0 / SEEDS + 1.0 / 200));
                    count++;
                }
            }
            assertThat(Math.sqrt(squares / count)).as("rms of deviations").isBetween(0.85, 1.15);
            expected.path("per_model").properties().forEach(entry -> {
                JsonNode model = entry.getValue();
                float[] kept = probe.floats("keep_probability." + entry.getKey());
                checkProbabilities(set, id, base, entry.getKey(), model, kept);
            });
        }
    }

    private static void checkProbabilities(
            Path set, String id, String base, String model, JsonNode parameters, float[] kept) {
        double density = parameters.path("density").asDouble();
        if (!id.startsWith("della")) {
            for (float probability : kept) {
                assertThat((double) probability).isCloseTo(density, within(1e-6));
            }
            return;
        }
        try (SafetensorsFolder a = SafetensorsFolder.open(set.resolve("models/" + model));
                SafetensorsFolder b = SafetensorsFolder.open(set.resolve("models/" + base))) {
            float[] delta = delta(a.floats(PROBED), b.floats(PROBED));
            int row = a.info(PROBED).dim(1);
            Mask.Ranked mask =
                    new Mask.Ranked(density, parameters.path("epsilon").asDouble());
            for (int r = 0; r < delta.length; r += row) {
                double[] ours = mask.probabilities(delta, r, row);
                for (int i = 0; i < row; i++) {
                    if (delta[r + i] != 0) { // the order of equal elements is arbitrary in the tool
                        assertThat(ours[i])
                                .as("%s of %s [%s]", PROBED, model, r + i)
                                .isCloseTo(kept[r + i], within(1e-6));
                    }
                }
            }
        }
    }
}
