package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.job.Job;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A trainer from files to a saved adapter. */
@NoLeaks
class LoraTrainerTest {

    /** Sums in another order, after some steps of AdamW. */
    private static final double TOLERANCE = 2e-4;

    @TempDir
    Path temp;

    private Path model = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TrainingModel.in(temp);
    }

    private static TrainingOptions.Builder options() {
        return TrainingOptions.builder()
                .batchSize(2)
                .epochs(4)
                .learningRate(1e-2)
                .maxLength(64)
                .threads(1);
    }

    private TrainingReport train(LoraOptions lora, TrainingOptions options) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.on(checkpoint, lora)
                    .evaluatedBy(TrainingModel.rows())
                    .train(TrainingModel.rows(), Objective.sft(), options)
                    .run();
        }
    }

    private static double loss(TrainingReport.Evaluation evaluation) {
        return evaluation.loss().orElseThrow();
    }

    private Map<String, float[]> saved(TrainingReport report, String name) {
        Path folder = temp.resolve(name);
        report.adapter().save(folder);
        return values(folder);
    }

    private static Map<String, float[]> values(Path folder) {
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("adapter_model.safetensors"))) {
            Map<String, float[]> values = new TreeMap<>();
            file.tensors().keySet().forEach(tensor -> values.put(tensor, file.floats(tensor)));
            return values;
        }
    }

    private static void assertSame(Map<String, float[]> one, Map<String, float[]> other) {
        assertThat(one.keySet()).isEqualTo(other.keySet());
        one.forEach((tensor, values) -> assertThat(values).as(tensor).isEqualTo(other.get(tensor)));
    }

    private static void assertClose(Map<String, float[]> one, Map<String, float[]> other) {
        assertThat(one.keySet()).isEqualTo(other.keySet());
        one.forEach((tensor, values) -> assertThat(values)
                .as(tensor)
                .containsExactly(other.getOrDefault(tensor, new float[0]), within((float) TOLERANCE)));
    }

    @Test
    void theLossFallsAndTheAdapterIsOneOfPeft() {
        TrainingReport report =
                train(LoraOptions.builder().rank(4).build(), options().build());
        assertThat(loss(report.after())).isLessThan(0.8 * loss(report.before()));
        assertThat(report.steps()).isEqualTo(8);
        assertThat(report.log()).hasSize(8);
        report.adapter().save(temp.resolve("adapter"));
        try (LoraAdapter adapter = LoraAdapter.load(temp.resolve("adapter"))) {
            assertThat(adapter.targets())
                    .hasSize(14)
                    .allMatch(target -> adapter.factors(target).isPresent());
        }
    }

    @ParameterizedTest
    @EnumSource(LoraOptions.Initialization.class)
    void everyInitializationBeginsWithTheModel(LoraOptions.Initialization initialization) {
        double plain = loss(train(
                        LoraOptions.builder().rank(4).build(),
                        options().maxSteps(1).build())
                .before());
        TrainingReport report = train(
                LoraOptions.builder().rank(4).initialization(initialization).build(),
                options().build());
        assertThat(loss(report.before())).isCloseTo(plain, within(1e-4));
        assertThat(loss(report.after())).isLessThan(plain);
        report.adapter().save(temp.resolve("adapter"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) { // converted to a change of the untouched model
            TrainingReport again = LoraTrainer.continuing(checkpoint, temp.resolve("adapter"))
                    .evaluatedBy(TrainingModel.rows())
                    .train(
                            TrainingModel.rows(),
                            Objective.sft(),
                            options().maxSteps(1).build())
                    .run();
            assertThat(loss(again.before())).isCloseTo(loss(report.after()), within(1e-3));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dora", "rslora", "bias", "pattern", "loraBias", "q_proj only"})
    void everyMethodTrains(String method) {
        LoraOptions.Builder lora = LoraOptions.builder().rank(4);
        switch (method) {
            case "dora" -> lora.dora(true);
            case "rslora" -> lora.rankStabilized(true);
            case "bias" -> lora.bias(LoraOptions.Bias.ALL);
            case "pattern" -> lora.rankPattern(Map.of("down_proj", 2)).alphaPattern(Map.of("layers.0.*", 4.0));
            case "loraBias" -> lora.loraBias(true);
            default -> lora.targets(List.of("q_proj")).dora(true);
        }
        TrainingReport report = train(lora.build(), options().build());
        assertThat(loss(report.after())).isLessThan(loss(report.before()));
        report.adapter().save(temp.resolve("adapter"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            TrainingReport again = LoraTrainer.continuing(checkpoint, temp.resolve("adapter"))
                    .evaluatedBy(TrainingModel.rows())
                    .train(
                            TrainingModel.rows(),
                            Objective.sft(),
                            options().maxSteps(1).build())
                    .run();
            assertThat(loss(again.before())).isCloseTo(loss(report.after()), within(1e-5));
        }
    }

    @Test
    void accumulationDoesNotChangeTheResult() {
        LoraOptions lora = LoraOptions.builder().rank(4).build();
        Map<String, float[]> whole = saved(train(lora, options().batchSize(4).build()), "whole");
        Map<String, float[]> parts =
                saved(train(lora, options().batchSize(1).accumulation(4).build()), "parts");
        assertClose(whole, parts);
    }

    @Test
    void packingDoesNotChangeTheResult() {
        LoraOptions lora = LoraOptions.builder().rank(4).build();
        TrainingOptions.Builder options = options().shuffle(false).batchSize(4);
        Map<String, float[]> apart = saved(train(lora, options.build()), "apart");
        Map<String, float[]> packed = saved(
                train(lora, options.packing(Packing.BEST_FIT).maxLength(64).build()), "packed");
        assertClose(apart, packed);
    }

    @Test
    void neitherRecomputationNorMemoryChangeABit() {
        LoraOptions lora = LoraOptions.builder().rank(4).dropout(0.1).build();
        Map<String, float[]> first = saved(train(lora, options().build()), "first");
        TrainingOptions other = options().activationMemory(0).weightMemory(0).build();
        assertSame(first, saved(train(lora, other), "second"));
        Map<String, float[]> another = saved(train(lora, options().seed(43).build()), "another");
        assertThat(another.values().iterator().next())
                .isNotEqualTo(first.values().iterator().next());
    }

    @Test
    void theNumberOfThreadsDoesNotChangeABit() {
        LoraOptions lora = LoraOptions.builder().rank(4).build();
        Map<String, float[]> one = saved(train(lora, options().build()), "one");
        assertSame(one, saved(train(lora, options().threads(2).build()), "two"));
        assertSame(one, saved(train(lora, options().threads(3).build()), "three"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 6})
    void aRunThatWasEndedContinuesWithTheSameBits(int ended) {
        LoraOptions lora = LoraOptions.builder().rank(4).dropout(0.1).build();
        TrainingOptions options = options().saveEvery(1).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LoraTrainer trainer = LoraTrainer.on(checkpoint, lora);
            trainer.savedTo(temp.resolve("whole"))
                    .train(TrainingModel.rows(), Objective.sft(), options)
                    .run();
            LoraTrainer other = trainer.savedTo(temp.resolve("ended"));
            List<Job<TrainingReport>> running = new ArrayList<>();
            Job<TrainingReport> job = other.onStep(step -> {
                        if (step.step() == ended + 1) {
                            running.get(0).cancel();
                        }
                    })
                    .train(TrainingModel.rows(), Objective.sft(), options);
            running.add(job);
            assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
            assertThat(temp.resolve("ended")).doesNotExist();
            TrainingReport report =
                    other.train(TrainingModel.rows(), Objective.sft(), options).run();
            assertThat(report.notices()).contains("The run continues after step " + (ended + 1));
            assertSame(values(temp.resolve("whole")), values(temp.resolve("ended")));
            assertThat(temp.resolve("ended.checkpoints")).doesNotExist();
        }
    }

    /** Rows that a model learns while it forgets the others. */
    private static Dataset others() {
        return Dataset.of(
                "others",
                List.of(
                        Map.of("prompt", "the capital of", "completion", " France is down"),
                        Map.of("prompt", "gravity", "completion", " is five .")));
    }

    private TrainingReport evaluated(TrainingOptions options, Consumer<TrainingStep> listener, Path saved) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return LoraTrainer.on(
                            checkpoint,
                            LoraOptions.builder().rank(4).dropout(0.1).build())
                    .evaluatedBy(others())
                    .onStep(listener)
                    .savedTo(saved)
                    .train(TrainingModel.rows(), Objective.sft(), options)
                    .run();
        }
    }

    private static TrainingOptions.Builder overfitting() {
        return options()
                .epochs(10)
                .learningRate(3e-2)
                .schedule(LearningRateSchedule.constant())
                .evaluateEvery(2);
    }

    @Test
    void theAdapterIsThatOfTheBestEvaluation() {
        Path best = temp.resolve("best");
        TrainingReport report = evaluated(overfitting().build(), step -> {}, best);
        TrainingReport all = evaluated(overfitting().keepBest(false).build(), step -> {}, temp.resolve("last"));
        assertThat(report.steps()).isEqualTo(20).isEqualTo(all.keptStep());
        assertThat(report.keptStep()).isBetween(2L, 18L);
        assertThat(loss(report.after())).isLessThan(loss(all.after()));
        TrainingReport same = evaluated(
                overfitting().keepBest(false).maxSteps(report.keptStep()).build(), step -> {}, temp.resolve("same"));
        assertThat(report.after()).isEqualTo(same.after());
        assertSame(values(best), values(temp.resolve("same")));
        assertSame(values(best), saved(report, "again"));
        assertThat(report.notices())
                .contains("The adapter is that of step " + report.keptStep()
                        + ", whose loss of the evaluation rows is the best");
    }

    @Test
    void trainingThatEndsEarlyReturnsTheBestAdapter() {
        TrainingReport early = evaluated(overfitting().patience(2).build(), step -> {}, temp.resolve("early"));
        assertThat(early.steps()).isLessThan(20).isEqualTo(early.keptStep() + 4);
        evaluated(overfitting().keepBest(false).maxSteps(early.keptStep()).build(), step -> {}, temp.resolve("same"));
        assertSame(values(temp.resolve("early")), values(temp.resolve("same")));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 11, 17})
    void aRunThatWasEndedKnowsItsBestEvaluation(int ended) {
        TrainingOptions options = overfitting().saveEvery(1).build();
        TrainingReport whole = evaluated(options, step -> {}, temp.resolve("whole"));
        assertThatThrownBy(() -> evaluated(
                        options,
                        step -> {
                            if (step.step() == ended) {
                                throw new CancelledException("ended");
                            }
                        },
                        temp.resolve("ended")))
                .isInstanceOf(CancelledException.class);
        TrainingReport report = evaluated(options, step -> {}, temp.resolve("ended"));
        assertThat(report.notices()).contains("The run continues after step " + (ended - 1));
        assertThat(report.keptStep()).isEqualTo(whole.keptStep());
        assertThat(report.before()).isEqualTo(whole.before());
        assertThat(report.after()).isEqualTo(whole.after());
        assertSame(values(temp.resolve("whole")), values(temp.resolve("ended")));
    }

    @Test
    void preferencesRaiseTheShareOfPairsInOrder() {
        List<Map<String, Object>> pairs = List.of(
                Map.of("prompt", "the capital of", "chosen", " France is Paris", "rejected", " down"),
                Map.of("prompt", "gravity", "chosen", " pulls things down", "rejected", " is Paris"));
        Dataset rows = Dataset.of("pairs", pairs);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (Objective objective : List.of(Objective.dpo(), Objective.orpo(), Objective.simpo())) {
                TrainingReport report = LoraTrainer.on(
                                checkpoint, LoraOptions.builder().rank(4).build())
                        .evaluatedBy(rows)
                        .train(rows, objective, options().epochs(10).build())
                        .run();
                assertThat(loss(report.after())).isLessThan(loss(report.before()));
                assertThat(report.after().rewardAccuracy()).hasValue(1);
            }
        }
    }

    @Test
    void unpairedRowsAreTrained() {
        List<Map<String, Object>> labelled = List.of(
                Map.of("prompt", "the capital of", "completion", " France is Paris", "label", true),
                Map.of("prompt", "gravity", "completion", " is Paris", "label", false));
        Dataset rows = Dataset.of("labelled", labelled);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (Objective objective : List.of(Objective.kto(), Objective.bco())) {
                TrainingReport report = LoraTrainer.on(
                                checkpoint, LoraOptions.builder().rank(4).build())
                        .evaluatedBy(rows)
                        .train(rows, objective, options().epochs(10).build())
                        .run();
                assertThat(loss(report.after())).isLessThan(loss(report.before()));
            }
        }
    }

    @Test
    void aPlanSaysWhatARunDoes() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LoraTrainer trainer =
                    LoraTrainer.on(checkpoint, LoraOptions.builder().rank(4).build());
            TrainingOptions options = options().build();
            TrainingPlan plan = trainer.plan(TrainingModel.rows(), Objective.sft(), options);
            TrainingReport report = trainer.train(TrainingModel.rows(), Objective.sft(), options)
                    .run();
            assertThat(plan.steps()).isEqualTo(report.steps());
            assertThat(plan.trainable()).isEqualTo(report.adapter().parameters());
            assertThat(plan.rows()).isEqualTo(4);
            assertThat(4 * plan.tokens()).isEqualTo(report.tokens());
        }
    }

    @Test
    void explainingARowMarksItsTrainedTokens() {
        Dataset rows = Dataset.of(
                "chat",
                List.of(Map.of(
                        "messages",
                        List.of(
                                Map.of("role", "user", "content", "hello"),
                                Map.of("role", "assistant", "content", "five .")))));
        TrainingOptions options =
                options().trainedTokens(TrainingOptions.Targets.ASSISTANT).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            ExplainedRow row = LoraTrainer.on(checkpoint, LoraOptions.DEFAULTS)
                    .explain(rows, Objective.sft(), options, 3)
                    .get(0);
            StringBuilder trained = new StringBuilder();
            row.tokens().stream().filter(ExplainedRow.Token::trained).forEach(token -> trained.append(token.text()));
            assertThat(trained.toString()).isEqualTo("five .<|im_end|>\n");
        }
    }

    @Test
    void mistakesInDataAreNamedByTheirRow() throws IOException {
        Path file = temp.resolve("rows.jsonl");
        Files.writeString(file, "{\"text\": \"one\"}\n{\"messages\": [{\"role\": \"bot\", \"content\": \"x\"}]}\n");
        assertThatThrownBy(() -> Dataset.jsonl(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + ": row 2 has the role 'bot' in messages, which must be system, developer, user,"
                        + " assistant or tool; correct or remove the row");
        Files.writeString(file, "{\"text\": \"one\"}\n{\"text\": \n");
        assertThatThrownBy(() -> Dataset.jsonl(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + ": row 2 is not JSON: ");
        Files.writeString(file, "{\"question\": \"one\"}\n");
        assertThatThrownBy(() -> Dataset.jsonl(file))
                .hasMessage(
                        file + ": row 1 has the keys [question] but needs text, messages, conversations, instruction"
                                + " and output, question and answers, prompt and completion, or chosen and rejected; correct or remove the row");
    }

    @Test
    void rowsThatDoNotFitTheObjectiveAreRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Job<TrainingReport> job = LoraTrainer.on(checkpoint, LoraOptions.DEFAULTS)
                    .train(TrainingModel.rows(), Objective.dpo(), options().build());
            assertThatThrownBy(job::run)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "rows: row 1 has no chosen and rejected completion, which the objective needs; correct or"
                                    + " remove the row");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"prompt\": \"one\"}", "{\"prompt\": [{\"role\": \"user\", \"content\": \"one\"}]}"})
    void aPromptAloneCannotBeTrained(String row) throws IOException {
        Path file = temp.resolve("rows.jsonl");
        Files.writeString(file, "{\"prompt\": \"one\", \"completion\": \" two\"}\n" + row + "\n");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Job<TrainingReport> job = LoraTrainer.on(checkpoint, LoraOptions.DEFAULTS)
                    .train(Dataset.jsonl(file), Objective.sft(), options().build());
            assertThatThrownBy(job::run)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(file + ": row 2 has a prompt but no completion, so nothing can be trained; correct or"
                            + " remove the row");
        }
    }

    @Test
    void aTargetThatMatchesNothingIsRefused() {
        LoraOptions lora =
                LoraOptions.builder().targets(List.of("query_key_value")).build();
        assertThatThrownBy(() -> train(lora, options().build()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "The target query_key_value matches no module of the model; its modules are [q_proj, k_proj,"
                                + " v_proj, o_proj, gate_proj, up_proj, down_proj]");
    }
}
