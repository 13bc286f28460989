package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

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

/** What makes training useless is said with advice. */
@NoLeaks
class DoctorTest {

    @TempDir
    Path temp;

    private Path model = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TrainingModel.in(temp);
    }

    private List<String> notices(Dataset rows, Objective objective, TrainingOptions.Builder options) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.on(checkpoint, LoraOptions.builder().rank(2).build())
                    .train(rows, objective, options.maxLength(64).threads(1).build())
                    .run()
                    .notices();
        }
    }

    @Test
    void equalCompletionsAndALossThatDoesNotMoveAreNamed() {
        List<Map<String, Object>> pairs = List.of(
                Map.of("prompt", "the capital of", "chosen", " France", "rejected", " France"),
                Map.of("prompt", "gravity", "chosen", " pulls", "rejected", " pulls"));
        assertThat(notices(
                        Dataset.of("pairs", pairs),
                        Objective.dpo(),
                        TrainingOptions.builder().epochs(12).batchSize(2)))
                .containsExactly(
                        "2 pairs have the same chosen and rejected completion, from which nothing is learned; remove rows 1,"
                                + " 2",
                        "The loss is ln 2 since the first step, so the model does not differ from its reference; raise the"
                                + " learning rate or beta, and check that chosen and rejected completions differ");
    }

    @Test
    void anAdapterThatChangesNothingIsNamed() {
        TrainingOptions.Builder atRateZero =
                TrainingOptions.builder().maxSteps(1).warmUp(1);
        assertThat(notices(TrainingModel.rows(), Objective.sft(), atRateZero))
                .containsExactly("The adapter changes nothing: all second factors are 0; raise the learning rate or the"
                        + " number of steps");
    }

    @Test
    void thePlanNamesPromptsThatRepeatAndThoseOfEvaluationRows() {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String prompt = i < 5 ? "the capital of" : "gravity " + "abc".charAt(i - 5);
            rows.add(Map.of("prompt", prompt, "completion", " France " + i));
        }
        Dataset others = Dataset.of("others", List.of(Map.of("prompt", "gravity b", "completion", " pulls")));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            TrainingPlan plan = LoraTrainer.on(
                            checkpoint, LoraOptions.builder().rank(2).build())
                    .evaluatedBy(others)
                    .plan(
                            Dataset.of("rows", rows),
                            Objective.sft(),
                            TrainingOptions.builder().maxLength(64).build());
            assertThat(plan.notices())
                    .containsExactly(
                            "5 rows have the same prompt, which weighs as much as all of them; keep some of rows 1, 2, 3, 4, 5",
                            "1 evaluation row has the prompt of a trained row, so the loss says less about other prompts;"
                                    + " split the rows by prompt, or by the document that they come from");
        }
    }

    @Test
    void evaluationRowsThatAreTrainedAreCounted() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            List<String> notices = LoraTrainer.on(
                            checkpoint, LoraOptions.builder().rank(2).build())
                    .evaluatedBy(TrainingModel.rows())
                    .train(
                            TrainingModel.rows(),
                            Objective.sft(),
                            TrainingOptions.builder()
                                    .maxLength(64)
                                    .maxSteps(1)
                                    .threads(1)
                                    .build())
                    .run()
                    .notices();
            assertThat(notices)
                    .containsExactly(
                            "4 evaluation rows are trained, too, so their loss says nothing about other rows; remove"
                                    + " them from one of the files");
        }
    }

    @Test
    void rewardsThatDoNotDifferAreNamed() {
        Dataset prompts = Dataset.of("prompts", List.of(Map.of("prompt", "gravity")));
        Objective same = Objective.grpo(
                Rewards.matching(Pattern.compile("")),
                GrpoOptions.builder().completions(2).maxTokens(2).build());
        assertThat(notices(prompts, same, TrainingOptions.builder().epochs(10)))
                .containsExactly(
                        "All completions of a prompt had the same reward in each of the first 10 steps, so nothing is"
                                + " learned; choose rewards that differ between what the model writes, or write more or longer"
                                + " completions",
                        "The adapter changes nothing: all second factors are 0; raise the learning rate or the number of"
                                + " steps");
    }

    @Test
    void turnsThatNeverEndAreNamed() {
        List<Map<String, Object>> rows = List.of(Map.of(
                "prompt",
                "the capital of",
                "completion",
                " France is Paris of the capital of France and of the world"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            List<String> notices = LoraTrainer.on(
                            checkpoint, LoraOptions.builder().rank(2).build())
                    .train(
                            Dataset.of("rows", rows),
                            Objective.sft(),
                            TrainingOptions.builder()
                                    .maxLength(10)
                                    .maxSteps(1)
                                    .threads(1)
                                    .build())
                    .run()
                    .notices();
            assertThat(notices)
                    .containsExactly(
                            "1 sequences are longer than 10 tokens and are cut",
                            "No trained token ends a turn, so the model does not learn to stop; end completions with the"
                                    + " model's end token, or train the whole turn of the assistant");
        }
    }
}
