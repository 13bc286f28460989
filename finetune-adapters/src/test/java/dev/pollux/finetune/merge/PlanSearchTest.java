package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.internal.math.EvolutionStrategy;
import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanSearchTest {

    private static final String TENSOR = "model.norm.weight";

    @TempDir
    Path folder;

    @BeforeEach
    void models() throws IOException {
        TestModels.write(folder.resolve("a"), 1, 1, 2);
        TestModels.write(folder.resolve("b"), 2, 1, 2);
    }

    private static MergePlan plan(Map<String, Double> values) {
        return MergePlan.builder("linear")
                .model("a", Map.of("weight", LayerSchedule.of(values.get("a"))))
                .model("b", Map.of("weight", LayerSchedule.of(values.get("b"))))
                .parameter("normalize", LayerSchedule.of(0))
                .dtype("float32")
                .build();
    }

    private static float[] norm(Path model) {
        try (SafetensorsFolder file = SafetensorsFolder.open(model)) {
            float[] values = new float[TestModels.HIDDEN];
            new StoredTensor(file, file.info(TENSOR), "").read(0, values.length, values, 0);
            return values;
        }
    }

    /** How near a merged model is to 0.3 a + 0.8 b. */
    private double score(Path merged) {
        float[] a = norm(folder.resolve("a"));
        float[] b = norm(folder.resolve("b"));
        float[] found = norm(merged);
        double error = 0;
        for (int i = 0; i < found.length; i++) {
            error += Math.pow(found[i] - 0.3 * a[i] - 0.8 * b[i], 2);
        }
        return -error;
    }

    private PlanSearch search() {
        return PlanSearch.with(CheckpointMerger.in(folder))
                .parameter("a", 0, 1)
                .parameter("b", 0, 1)
                .plan(PlanSearchTest::plan)
                .seed(3);
    }

    @Test
    void findsTheWeightsThatTheScoreAsksFor() {
        PlanSearch.Result found = search().score(this::score)
                .evaluations(120)
                .search(folder.resolve("work"))
                .run();

        assertThat(found.best().get("a")).isCloseTo(0.3, within(0.02));
        assertThat(found.best().get("b")).isCloseTo(0.8, within(0.02));
        assertThat(MergekitYaml.parse(found.yaml())).isEqualTo(found.plan());
        assertThat(found.history()).hasSize(120);
        assertThat(folder.resolve("work/candidate")).doesNotExist();
    }

    @Test
    void goesOnAfterTheLastScore() {
        PlanSearch.Result whole = search().score(this::score)
                .evaluations(12)
                .search(folder.resolve("whole"))
                .run();
        AtomicInteger calls = new AtomicInteger();
        PlanSearch broken = search().evaluations(12).score(merged -> {
            if (calls.incrementAndGet() == 8) {
                throw new IllegalStateException("out of power");
            }
            return score(merged);
        });
        assertThatThrownBy(() -> broken.search(folder.resolve("work")).run()).hasMessage("out of power");

        PlanSearch.Result resumed = broken.search(folder.resolve("work")).run();

        assertThat(calls).hasValue(8 + 12 - 7);
        assertThat(resumed.history()).isEqualTo(whole.history());
    }

    @RepeatedTest(3)
    void strategyFindsTheTopOfANarrowRidge(RepetitionInfo repetition) {
        EvolutionStrategy strategy =
                new EvolutionStrategy(new double[] {0.5, 0.5, 0.5}, repetition.getCurrentRepetition());
        double best = Double.NEGATIVE_INFINITY;
        for (int generation = 0; generation < 150; generation++) {
            double[][] points = strategy.ask();
            double[] scores = new double[points.length];
            for (int i = 0; i < scores.length; i++) {
                double x = EvolutionStrategy.mirrored(points[i][0]);
                double y = EvolutionStrategy.mirrored(points[i][1]);
                double z = EvolutionStrategy.mirrored(points[i][2]);
                scores[i] = -100 * Math.pow(x + y - 1, 2) - Math.pow(x - 0.2, 2) - 10 * Math.pow(z - 0.9, 2);
                best = Math.max(best, scores[i]);
            }
            strategy.tell(points, scores);
        }
        assertThat(best).isGreaterThan(-1e-6);
    }

    @Test
    void rangesMustBeRanges() {
        assertThatThrownBy(() -> search().parameter("c", 1, 1))
                .hasMessage("range of c must go from a number to a larger one but was [1.0, 1.0]");
    }
}
