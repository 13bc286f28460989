package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model is trained by rewards of what it writes. */
@NoLeaks
class RewardedTrainingTest {

    @TempDir
    Path temp;

    private Path model = Path.of("");
    private final List<Rollout> seen = new ArrayList<>();

    @BeforeEach
    void write() throws IOException {
        model = TrainingModel.in(temp);
    }

    private TrainingReport train(RewardFunction rewards, int steps) {
        Dataset prompts =
                Dataset.of("prompts", List.of(Map.of("prompt", "the capital of"), Map.of("prompt", "gravity")));
        GrpoOptions options =
                GrpoOptions.builder().completions(4).maxTokens(8).beta(0.01).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.on(checkpoint, LoraOptions.builder().rank(2).build())
                    .train(
                            prompts,
                            Objective.grpo(rewards, options),
                            TrainingOptions.builder()
                                    .batchSize(2)
                                    .epochs(steps)
                                    .learningRate(0.02)
                                    .schedule(LearningRateSchedule.constant())
                                    .threads(1)
                                    .build())
                    .run();
        }
    }

    private static double[] byLetters(List<Rollout> rollouts) {
        return rollouts.stream()
                .mapToDouble(
                        one -> one.completion().chars().filter(c -> c == 'e').count())
                .toArray();
    }

    @Test
    void stepsReportRewardsAndAreTheSameForTheSameSeed() {
        TrainingReport first = train(
                rollouts -> {
                    seen.addAll(rollouts);
                    return byLetters(rollouts);
                },
                3);
        assertThat(first.steps()).isEqualTo(3);
        assertThat(seen).hasSize(24);
        assertThat(seen).extracting(Rollout::row).containsOnly(1L, 2L);
        assertThat(seen).allSatisfy(one -> assertThat(one.tokens()).isBetween(1, 8));
        assertThat(first.log().get(0).metrics())
                .containsKeys(
                        "reward", "reward_std", "frac_reward_zero_std", "completions/mean_length", "kl", "entropy");
        TrainingReport second = train(RewardedTrainingTest::byLetters, 3);
        assertThat(second.log())
                .extracting(TrainingStep::loss)
                .isEqualTo(first.log().stream().map(TrainingStep::loss).toList());
    }

    @Test
    void rewardsThatAreNoNumbersAreRefused() {
        assertThatThrownBy(() -> train(rollouts -> new double[1], 1))
                .hasMessage("The reward function must return a number for each of 8 completions but returned 1");
        assertThatThrownBy(() -> train(
                        rollouts ->
                                rollouts.stream().mapToDouble(one -> Double.NaN).toArray(),
                        1))
                .hasMessageMatching("The reward of a completion of row [12] must be finite but was NaN; return 0 for a"
                        + " completion that cannot be rated");
    }

    @Test
    void optionsAreChecked() {
        assertThat(GrpoOptions.builder().build()).isEqualTo(GrpoOptions.DEFAULTS);
        assertThatThrownBy(() -> GrpoOptions.builder().completions(1).build())
                .hasMessage("completions must be at least 2 but was 1");
    }
}
