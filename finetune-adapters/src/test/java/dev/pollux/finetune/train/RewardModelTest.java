package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reward models from pairs to scores. */
@NoLeaks
class RewardModelTest {

    /** 32-bit floats summed in another order, after some steps of AdamW. */
    private static final double REFERENCE = 2e-5;

    /** Central differences of doubles with this step are exact to its square. */
    private static final double STEP = 1e-5;

    // TRL 1.16, PEFT 0.21, torch 2.15: RewardTrainer with the same adapter and first head, and the scores that PEFT
    // gives with the
    // adapter that is saved here, the second ones with 2 as pad_token_id.
    private static final double[] LOSSES = {
        0.8450092673301697,
        0.9964755177497864,
        0.7384763956069946,
        0.9821288585662842,
        0.5812283158302307,
        0.8735936880111694
    };
    private static final double[] SCORES = {0.36546972393989563, -0.47973334789276123, -0.258823037147522};
    private static final double[] SCORES_BEFORE_PADDING = {
        -0.16962368786334991, -0.20262369513511658, -0.40197914838790894
    };

    @TempDir
    Path temp;

    private Path model = Path.of("");
    private Path adapter = Path.of("");

    @BeforeEach
    void write() {
        model = TinyDecoder.llama(3).write(temp.resolve("model"));
        adapter = TinyDecoder.llama(3).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
    }

    private static Dataset pairs() {
        return Dataset.of(
                "pairs",
                List.of(
                        Map.of(
                                "prompt",
                                "the capital of",
                                "chosen",
                                " France is Paris",
                                "rejected",
                                " down",
                                "margin",
                                0.5),
                        Map.of("prompt", "gravity", "chosen", " pulls things down", "rejected", " is Paris"),
                        Map.of("prompt", "two and three", "chosen", " is five", "rejected", " is gravity"),
                        Map.of("prompt", "hello", "chosen", " there", "rejected", " down down", "margin", 1)));
    }

    private static TrainingOptions.Builder options() {
        return TrainingOptions.builder()
                .batchSize(2)
                .epochs(3)
                .learningRate(1e-2)
                .shuffle(false)
                .threads(1);
    }

    private TrainingReport train(Objective objective, TrainingOptions options, String out) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.continuing(checkpoint, adapter)
                    .evaluatedBy(pairs())
                    .savedTo(temp.resolve(out))
                    .train(pairs(), objective, options)
                    .run();
        }
    }

    private static final List<String> COMPLETIONS = List.of(" France is Paris", " down", " there");

    private double[] scores(String folder) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                RewardModel rewards = RewardModel.open(checkpoint, temp.resolve(folder))) {
            return rewards.score(Prompt.text("the capital of"), COMPLETIONS);
        }
    }

    @Test
    void rewardsAreTrainedAsTrlTrainsThem() {
        TrainingReport report = train(Objective.reward(0.01), options().build(), "rewards");
        assertThat(report.log()).hasSize(LOSSES.length);
        for (int i = 0; i < LOSSES.length; i++) {
            assertThat(report.log().get(i).loss()).as("step " + (i + 1)).isCloseTo(LOSSES[i], within(REFERENCE));
        }
        Map<String, Double> first = report.log().get(0).metrics();
        assertThat(first.get("accuracy")).isEqualTo(0.5);
        assertThat(first.get("margin")).isCloseTo(-0.03158990293741226, within(REFERENCE));
        assertThat(first.get("min_reward")).isCloseTo(-0.15137526392936707, within(REFERENCE));
        assertThat(first.get("mean_reward")).isCloseTo(-0.033055029809474945, within(REFERENCE));
        assertThat(first.get("max_reward")).isCloseTo(0.05367530882358551, within(REFERENCE));
        assertThat(report.before().rewardAccuracy()).hasValue(0.25);
        assertThat(report.after().rewardAccuracy()).hasValue(0.75);
        assertThat(report.after().loss().orElseThrow())
                .isLessThan(report.before().loss().orElseThrow());
    }

    @Test
    void theAdapterIsASequenceClassifierOfPeftWithEqualScores() throws IOException {
        train(Objective.reward(0.01), options().build(), "rewards");
        assertThat(scores("rewards")).containsExactly(SCORES, within(REFERENCE));
        assertThat(temp.resolve("rewards/adapter_config.json"))
                .content()
                .containsPattern("\"task_type\" : \"SEQ_CLS\"")
                .containsPattern("\"modules_to_save\" : \\[ \"score\" ]");
        try (LoraAdapter stored = LoraAdapter.load(temp.resolve("rewards"))) {
            assertThat(stored.whole(Trainables.SCORE)).isPresent();
            assertThat(stored.targets()).hasSize(15);
        }
        Path config =
                model.resolve("config.json"); // where the end token is padding, transformers scores the token before
        Files.writeString(config, Files.readString(config).replace("{\"arch", "{\"pad_token_id\": 2, \"arch"));
        assertThat(scores("rewards")).containsExactly(SCORES_BEFORE_PADDING, within(REFERENCE));
    }

    @Test
    void aRunThatWasEndedContinuesWithTheSameBits() {
        TrainingOptions options = options().saveEvery(1).evaluateEvery(1).build();
        ContinuedRun.requireSameBits(temp, (out, end) -> run(out, options, end));
    }

    private List<TrainingStep> run(String out, TrainingOptions options, int end) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.continuing(checkpoint, adapter)
                    .evaluatedBy(pairs())
                    .savedTo(temp.resolve(out))
                    .onStep(step -> {
                        if (step.step() == end) {
                            throw new CancelledException("ended");
                        }
                    })
                    .train(pairs(), Objective.reward(0.01), options)
                    .run()
                    .log();
        }
    }

    @Test
    void gradientsAreThoseOfTheLoss() {
        double[] scores = {0.4, -1.2, 0.9, -0.3};
        Objective objective = Objective.reward(0.2);
        List<double[]> gradients = loss(objective, scores).gradients();
        for (int i = 0; i < scores.length; i++) {
            double[] more = scores.clone();
            double[] less = scores.clone();
            more[i] += STEP;
            less[i] -= STEP;
            double difference =
                    (loss(objective, more).loss() - loss(objective, less).loss()) / (2 * STEP);
            assertThat(gradients.get(i)[0]).isCloseTo(difference, within(1e-9));
        }
    }

    private static BatchLoss loss(Objective objective, double[] scores) {
        List<ScoredSequence> scored = new ArrayList<>();
        for (double score : scores) {
            double[] one = {score};
            scored.add(new ScoredSequence(one, new double[0], one, one, one, one, new boolean[] {true}));
        }
        return objective.loss(
                new ScoredBatch(scored, new boolean[0], List.of(), new double[0], new double[] {0.7, 0}, List.of()),
                0,
                new RunningReward());
    }

    @Test
    void aRewardModelRatesWhatAnotherModelWrites() {
        train(Objective.reward(), options().build(), "rewards");
        try (Checkpoint checkpoint = Checkpoint.open(model);
                RewardModel rewards = RewardModel.open(checkpoint, temp.resolve("rewards"))) {
            List<Rollout> seen = new ArrayList<>();
            RewardFunction function = rollouts -> {
                seen.addAll(rollouts);
                return rewards.rewards(rollouts);
            };
            TrainingReport report = LoraTrainer.on(
                            checkpoint, LoraOptions.builder().rank(2).build())
                    .train(
                            Dataset.of("prompts", List.of(Map.of("prompt", "the capital of"))),
                            Objective.grpo(
                                    function,
                                    GrpoOptions.builder()
                                            .completions(2)
                                            .maxTokens(4)
                                            .build()),
                            options().epochs(2).build())
                    .run();
            assertThat(seen).hasSize(4).allMatch(one -> one.prompt().equals(Prompt.text("the capital of")));
            double[] first = rewards.score(
                    seen.get(0).prompt(),
                    List.of(seen.get(0).completion(), seen.get(1).completion()));
            assertThat(report.log().get(0).metrics().get("reward")).isCloseTo((first[0] + first[1]) / 2, within(1e-9));
        }
    }

    @Test
    void pairsThatDoNotFitAreLeftOutAndOthersAreRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LoraTrainer trainer = LoraTrainer.continuing(checkpoint, adapter);
            TrainingPlan plan = trainer.plan(
                    pairs(), Objective.reward(), options().maxLength(26).build());
            assertThat(plan.left()).isEqualTo(1);
            assertThat(plan.rows()).isEqualTo(3);
            LoraTrainer head = LoraTrainer.on(
                    checkpoint,
                    LoraOptions.builder().modulesToSave(List.of("lm_head")).build());
            assertThatThrownBy(() ->
                            head.plan(pairs(), Objective.reward(), options().build()))
                    .hasMessage(
                            "A reward model has a head of its own, so lm_head cannot be trained; leave it out of the"
                                    + " modules to save");
        }
        assertThatThrownBy(() -> Dataset.of(
                        "pairs", List.of(Map.of("prompt", "a", "chosen", "b", "rejected", "c", "margin", "much"))))
                .hasMessage("pairs: row 1 has the margin \"much\", which must be a number; correct or remove the row");
        assertThatThrownBy(() -> Objective.reward(-1))
                .hasMessage("centering must be at least 0 and finite but was -1.0");
    }

    @Test
    void anAdapterWithoutAHeadIsNoRewardModel() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThatThrownBy(() -> RewardModel.open(checkpoint, adapter))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "The adapter adapter must have score.weight of [1, 32], the head of a reward model; train"
                                    + " one by 'pollux train reward'");
            train(Objective.reward(), options().maxSteps(1).build(), "rewards");
            RewardModel closed = RewardModel.open(checkpoint, temp.resolve("rewards"));
            assertThatThrownBy(() -> closed.score(Prompt.text("a".repeat(3000)), List.of("b")))
                    .hasMessage("A text to score must have at most 2048 tokens but has 3002; shorten it");
            assertThatThrownBy(() -> closed.score(Prompt.chat(Message.user("hello")), List.of("b")))
                    .hasMessageContaining("is a conversation, and the model has no chat template");
            closed.close();
            closed.close();
            assertThatThrownBy(() -> closed.score(Prompt.text("a"), List.of("b")))
                    .isInstanceOf(IllegalStateException.class);
        }
    }
}
