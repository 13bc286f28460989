package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.evaluate.ReadingQuestion;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
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
    void rewardsRise() {
        List<TrainingStep> log =
                train(Rewards.matching(Pattern.compile("[eo].*[eo]")), 90).log();
        assertThat(meanReward(log.subList(75, 90))).isGreaterThan(meanReward(log.subList(0, 15)) + 0.2);
    }

    private static double meanReward(List<TrainingStep> steps) {
        return steps.stream()
                .mapToDouble(step -> step.metrics().getOrDefault("reward", 0.0))
                .average()
                .orElse(0);
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

    private static Rollout rollout(String completion, int tokens, boolean complete, String... answers) {
        return new Rollout(1, Prompt.text("q"), List.of(answers), completion, tokens, complete);
    }

    @Test
    void rewardsOfTextsAreWhatTheirNamesSay() {
        List<Rollout> rollouts = List.of(
                rollout("It is Paris [1].", 4, true, "paris", "Lutetia"),
                rollout("Parisian", 12, true, "Paris"),
                rollout("", 8, false, "Paris"));
        assertThat(Rewards.containingAnAnswer().rewards(rollouts)).containsExactly(1, 0, 0);
        assertThat(Rewards.matching(Pattern.compile("\\[\\d]")).rewards(rollouts))
                .containsExactly(1, 0, 0);
        assertThat(Rewards.within(8).rewards(rollouts)).containsExactly(1, 0.5, 0);
        RewardFunction sum = Rewards.weighted(
                Map.of("contains", Rewards.containingAnAnswer(), "within", Rewards.within(8)), Map.of("within", -0.5));
        assertThat(sum.rewards(rollouts)).containsExactly(0.5, -0.25, 0);
        assertThatThrownBy(() -> Rewards.containingAnAnswer().rewards(List.of(rollout("a", 1, true))))
                .hasMessage(
                        "Row 1 must have answers, which completions are compared with; add them, or reward something"
                                + " else");
        assertThatThrownBy(() -> Rewards.within(0)).hasMessage("tokens must be at least 1 but was 0");
        assertThatThrownBy(() -> Rewards.weighted(Map.of(), Map.of()))
                .hasMessage("rewards must have at least one function but was empty");
        assertThatThrownBy(() -> Rewards.weighted(Map.of("a", Rewards.within(1)), Map.of("b", 1.0)))
                .hasMessage("A weight must be finite and belong to one of [a] but was 1.0 of b");
        assertThatThrownBy(() -> Rewards.weighted(Map.of("a", one -> new double[0]), Map.of())
                        .rewards(rollouts))
                .hasMessage("The reward a must return a number for each of 3 completions but returned 0");
    }

    @Test
    void questionsHaveTheirAnswers() {
        List<TrainingRow> rows = Dataset.of(
                        "questions",
                        List.of(
                                Map.of("question", "Where?", "answers", List.of("Paris"), "context", "In Paris."),
                                Map.of(
                                        "question",
                                        "Why?",
                                        "answers",
                                        List.of(),
                                        "context",
                                        "In Paris.",
                                        "answerable",
                                        false)))
                .rows();
        assertThat(rows.get(0).answers()).containsExactly("Paris");
        Rollout refused =
                rollout(ReadingQuestion.UNKNOWN, 9, true, rows.get(1).answers().get(0));
        assertThat(Rewards.containingAnAnswer().rewards(List.of(refused))).containsExactly(1);
    }

    @Test
    void rowsWithoutAnswersAreRefusedBeforeTheFirstStep() {
        assertThatThrownBy(() -> train(Rewards.containingAnAnswer(), 1))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("prompts: row 1 has no answers, which its completions are to contain; correct or remove the"
                        + " row");
    }

    @Test
    void optionsAreChecked() {
        assertThat(GrpoOptions.builder().build()).isEqualTo(GrpoOptions.DEFAULTS);
        assertThatThrownBy(() -> GrpoOptions.builder().completions(1).build())
                .hasMessage("completions must be at least 2 but was 1");
    }
}
