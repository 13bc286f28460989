package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Squared gradients of single examples. */
@NoLeaks
class FisherCollectionTest {

    private static final FisherOptions OPTIONS =
            FisherOptions.builder().threads(1).window(32).build();

    @TempDir
    Path temp;

    private FisherReport collect(FisherOptions options, List<Map<String, Object>> rows) throws IOException {
        Path model = TrainingModel.in(temp);
        Files.deleteIfExists(model.resolve("fisher.safetensors"));
        return FisherCollection.in(temp, options)
                .collect(model.getFileName().toString(), Dataset.of("rows", rows))
                .run();
    }

    private float[] tensor(FisherReport report, String name) {
        try (SafetensorsFile file = SafetensorsFile.open(report.file())) {
            return file.floats(name);
        }
    }

    @Test
    void theDiagonalIsTheMeanOverExamples() throws IOException {
        Map<String, Object> one = Map.of("prompt", "the capital of", "completion", " France is Paris .");
        Map<String, Object> two = Map.of("prompt", "gravity", "completion", " pulls things down");
        FisherReport first = collect(OPTIONS, List.of(one));
        String name = first.tensors().get(0);
        float[] alone = tensor(first, name);
        float[] other = tensor(collect(OPTIONS, List.of(two)), name);
        FisherReport both = collect(OPTIONS, List.of(one, two));
        float[] mean = tensor(both, name);
        assertThat(both.examples()).isEqualTo(2);
        double largest = 0;
        for (int i = 0; i < mean.length; i++) {
            assertThat(alone[i]).isNotNegative();
            largest = Math.max(largest, mean[i]);
            assertThat((double) mean[i]).isCloseTo((alone[i] + other[i]) / 2.0, within(1e-6 * (1 + mean[i])));
        }
        assertThat(largest).isPositive();
    }

    @Test
    void tensorsWithoutGradientsAreZero() throws IOException {
        FisherReport report = collect(OPTIONS, List.of(Map.of("text", "the capital of France is Paris .")));
        String norm = report.left().stream()
                .filter(name -> name.contains("layernorm"))
                .findFirst()
                .orElseThrow();
        assertThat(tensor(report, norm)).containsOnly(0f);
    }

    @Test
    void optionsHaveTheDefaultsOfTheBuilder() {
        assertThat(FisherOptions.builder().build()).isEqualTo(FisherOptions.DEFAULTS);
    }
}
