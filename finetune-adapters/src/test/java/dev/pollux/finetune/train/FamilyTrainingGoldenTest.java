package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.TokenMeasures;
import dev.pollux.finetune.internal.training.TokenSeeds;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every family of decoders in training: log-probabilities are those of transformers, documents in one row do not see each other,
 * and gradients are those of differences. A family that cannot be trained says why.
 */
@NoLeaks
class FamilyTrainingGoldenTest {

    /** Central differences of 32-bit floats along a random direction, relative. */
    private static final double GRADIENT = 1e-2;

    private static final double STEP = 3e-4;
    private static final int ATTEMPTS = 8;

    @TestFactory
    Stream<DynamicTest> familiesAreTrainedAsTheyRun() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    private static void check(Path folder) {
        JsonNode cases = JsonFile.object(folder.resolve("cases.json")).orElseThrow();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelPair.Setting setting = new ModelPair.Setting(
                    checkpoint.config(),
                    checkpoint.settings(),
                    checkpoint.tensors(),
                    256,
                    1,
                    Long.MAX_VALUE,
                    Kept.NOTHING);
            Trainables trainables;
            try {
                Set<String> matrices = ModelPair.matrices(setting);
                LoraOptions lora = LoraOptions.builder().rank(2).build();
                trainables =
                        NewAdapter.of(lora, checkpoint.tensors(), matrices, 1).trainables();
            } catch (UnsupportedModelException e) {
                assertThat(e.getMessage()).contains("cannot be trained");
                return;
            }
            try (ModelPair models = new ModelPair(setting, trainables, Residuals.NONE, Optional.empty())) {
                compareProbabilities(cases, folder, models);
                compareGradients(cases, trainables, models, folder.getFileName().hashCode());
            } catch (UnsupportedModelException e) {
                assertThat(e.getMessage()).contains("cannot be trained");
            }
        }
    }

    /** A prompt with its greedy continuation, of which the logarithms of probabilities are known. */
    private record Continued(Sequence sequence, float[] logProbabilities) {}

    private static List<Continued> continued(JsonNode cases, Path folder) {
        List<Continued> all = new ArrayList<>();
        try (SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            for (JsonNode prompt : cases.path("prompts")) {
                JsonNode greedy = prompt.path("greedy");
                if (!greedy.has("logprobs")) {
                    continue;
                }
                int[] before = TrajectoryCase.ints(prompt.path("ids"));
                int[] after = TrajectoryCase.ints(greedy.path("ids"));
                int[] ids = Arrays.copyOf(before, before.length + after.length);
                System.arraycopy(after, 0, ids, before.length, after.length);
                boolean[] trained = new boolean[ids.length];
                Arrays.fill(trained, before.length, ids.length, true);
                all.add(new Continued(
                        new Sequence(ids, trained),
                        expected.floats(greedy.path("logprobs").asString(""))));
            }
        }
        return all;
    }

    private static boolean isSwitched(JsonNode cases) {
        return cases.path("about").toString().contains("long_factor");
    }

    private static void compareProbabilities(JsonNode cases, Path folder, ModelPair models) {
        double tolerance = cases.path("tolerance").path("logprobs_absolute").asDouble(1e-4);
        List<Continued> all = continued(cases, folder);
        if (isSwitched(cases)) {
            return; // a continuation that crosses the length limit has both sets of frequencies
        }
        TokenBatch together =
                TokenBatch.of(all.stream().map(Continued::sequence).toList());
        float[] found = measured(models, together).logProbabilities();
        int at = 0;
        for (Continued one : all) {
            for (float expected : one.logProbabilities()) {
                assertThat((double) found[at]).as("token %d", at).isCloseTo(expected, within(tolerance));
                at++;
            }
        }
        assertThat(at).isEqualTo(found.length);
    }

    private static TokenMeasures measured(ModelPair models, TokenBatch batch) {
        try (Activations activations = models.forward(batch, OptionalLong.empty(), JobContext.NONE)) {
            return models.measures(activations, JobContext.NONE);
        }
    }

    private static void compareGradients(JsonNode cases, Trainables trainables, ModelPair models, long seed) {
        Random random = new Random(seed);
        int[] ids = TrajectoryCase.ints(cases.path("prompts").path(1).path("ids"));
        boolean[] all = new boolean[ids.length];
        Arrays.fill(all, true);
        TokenBatch batch = TokenBatch.of(List.of(new Sequence(ids, all), new Sequence(ids.clone(), all)));
        float[] weights = new float[batch.targets().length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = random.nextFloat() - 0.5f;
        }
        for (Parameter parameter : trainables.parameters()) {
            if (parameter.kind() == Parameter.Kind.B) {
                for (int i = 0; i < parameter.values().length; i++) {
                    parameter.values()[i] = 0.2f * (random.nextFloat() - 0.5f);
                }
            }
        }
        models.refresh();
        try (Activations activations = models.forward(batch, OptionalLong.empty(), JobContext.NONE)) {
            models.backward(activations, TokenSeeds.of(weights), JobContext.NONE);
        }
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            List<float[]> direction = direction(trainables, random);
            Secants secants = secants(batch, weights, models, trainables, direction);
            if (secants.isSmooth()) {
                assertThat(slope(trainables, direction))
                        .as("seed %d", seed)
                        .isCloseTo(secants.wide(), within(GRADIENT * Math.abs(secants.wide())));
                return;
            }
        }
        throw new AssertionError("seed " + seed + ": the loss jumped along each of " + ATTEMPTS + " directions");
    }

    /** Half along the gradient, so that the slope is not lost in noise. */
    private static List<float[]> direction(Trainables trainables, Random random) {
        List<float[]> direction = new ArrayList<>();
        for (Parameter parameter : trainables.parameters()) {
            float[] own = new float[parameter.values().length];
            double norm = 0;
            for (float value : parameter.gradient()) {
                norm += (double) value * value;
            }
            for (int i = 0; i < own.length; i++) {
                own[i] = (float)
                        (parameter.gradient()[i] / Math.max(1e-12, Math.sqrt(norm)) + 0.1 * random.nextGaussian());
            }
            direction.add(own);
        }
        return direction;
    }

    private static double slope(Trainables trainables, List<float[]> direction) {
        double slope = 0;
        int at = 0;
        for (Parameter parameter : trainables.parameters()) {
            float[] own = direction.get(at++);
            for (int i = 0; i < own.length; i++) {
                slope += (double) own[i] * parameter.gradient()[i];
            }
        }
        return slope;
    }

    /**
     * The difference quotients of two steps. They disagree where a router chooses another expert between the points: the loss
     * jumps there and has no slope.
     */
    private record Secants(double wide, double narrow) {
        boolean isSmooth() {
            return Math.abs(wide - narrow) <= 0.1 * Math.abs(wide);
        }
    }

    /** Moves the parameters there and back. */
    private static Secants secants(
            TokenBatch batch, float[] weights, ModelPair models, Trainables trainables, List<float[]> direction) {
        double far = loss(models, trainables, direction, STEP, batch, weights);
        double near = loss(models, trainables, direction, -STEP / 2, batch, weights);
        double nearBack = loss(models, trainables, direction, -STEP, batch, weights);
        double farBack = loss(models, trainables, direction, -STEP / 2, batch, weights);
        loss(models, trainables, direction, STEP, batch, weights);
        return new Secants((far - farBack) / (2 * STEP), (near - nearBack) / STEP);
    }

    /** The loss after the parameters were moved. */
    private static double loss(
            ModelPair models,
            Trainables trainables,
            List<float[]> direction,
            double by,
            TokenBatch batch,
            float[] weights) {
        int at = 0;
        for (Parameter parameter : trainables.parameters()) {
            float[] own = direction.get(at++);
            for (int i = 0; i < own.length; i++) {
                parameter.values()[i] += (float) (by * own[i]);
            }
        }
        models.refresh();
        float[] found = measured(models, batch).logProbabilities();
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += (double) weights[i] * found[i];
        }
        return sum;
    }
}
