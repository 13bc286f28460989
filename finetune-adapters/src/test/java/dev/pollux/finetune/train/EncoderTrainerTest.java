package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.OnnxReranker;
import dev.pollux.inference.encoder.RerankerOptions;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Embedders and rerankers from rows to a model. */
@NoLeaks
class EncoderTrainerTest {

    /** 32-bit floats against 64 in the reference, after some steps of AdamW. */
    private static final double REFERENCE = 2e-5;

    /** A merged model against the model with its changes beside it. */
    private static final double MERGED = 1e-4;

    // transformers 5.24, torch 2.15, float64: BertModel and BertForSequenceClassification with the factors of the first
    // step.
    private static final double[] CONTRASTIVE = {
        3.5514496003773757,
        1.9473737262708117,
        1.7673565579859916,
        1.6945496255458798,
        1.6289835322853894,
        1.5568560624838454
    };
    private static final double[] BINARY = {
        0.6930604446505204,
        0.6894209247418557,
        0.6866552058309526,
        0.6842685229851281,
        0.6819414011095564,
        0.6795857313284064
    };

    @TempDir
    Path temp;

    private Path model = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TinyBert.in(temp.resolve("model"));
    }

    private static TrainingOptions.Builder options() {
        return TrainingOptions.builder()
                .batchSize(4)
                .epochs(6)
                .learningRate(1e-2)
                .shuffle(false)
                .threads(1);
    }

    private static LoraOptions rank2() {
        return LoraOptions.builder().rank(2).build();
    }

    private EncoderTrainer trainer(LoraOptions lora) {
        return EncoderTrainer.on(model, lora);
    }

    private static List<Double> losses(TrainingReport report) {
        return report.log().stream().map(TrainingStep::loss).toList();
    }

    private static void compare(TrainingReport report, double[] expected) {
        List<Double> found = losses(report);
        assertThat(found).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(found.get(i)).as("step " + (i + 1)).isCloseTo(expected[i], within(REFERENCE));
        }
    }

    private EmbedderOptions embedding() {
        return EmbedderOptions.builder().cache(temp.resolve("cache")).build();
    }

    @Test
    void anEmbedderIsTrainedAsTorchTrainsIt() {
        compare(
                trainer(rank2())
                        .train(
                                TinyBert.triples(),
                                EncoderObjective.contrastive(),
                                options().build())
                        .run(),
                CONTRASTIVE);
    }

    @Test
    void aRerankerIsTrainedAsTorchTrainsIt() {
        compare(
                trainer(rank2())
                        .train(
                                TinyBert.pairs(),
                                EncoderObjective.binaryCrossEntropy(),
                                options().build())
                        .run(),
                BINARY);
    }

    static Stream<LoraOptions> methods() {
        LoraOptions.Builder plain = LoraOptions.builder().rank(2);
        return Stream.of(
                plain.build(),
                plain.build().toBuilder().rankStabilized(true).loraBias(true).build(),
                plain.build().toBuilder().dora(true).build(),
                plain.build().toBuilder().bias(LoraOptions.Bias.ALL).build(),
                plain.build().toBuilder()
                        .initialization(LoraOptions.Initialization.PISSA)
                        .build(),
                plain.build().toBuilder()
                        .initialization(LoraOptions.Initialization.OLORA)
                        .build());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theSavedModelGivesTheLossOfTheTrainedOne(LoraOptions lora) {
        Path out = temp.resolve("out");
        TrainingReport report = trainer(lora)
                .evaluatedBy(TinyBert.triples())
                .savedTo(out)
                .train(
                        TinyBert.triples(),
                        EncoderObjective.contrastive(),
                        options().build())
                .run();
        double after = report.after().loss().orElseThrow();
        assertThat(after).isLessThan(report.before().loss().orElseThrow());
        List<double[]> vectors = new ArrayList<>();
        List<EncoderRows.Unit> units = new ArrayList<>();
        try (OnnxEmbedder embedder = OnnxEmbedder.open(out, embedding())) {
            for (RelevanceDataset.Row row : TinyBert.triples().triples()) {
                List<String> documents = row.documents().stream()
                        .map(RelevanceDataset.Labelled::text)
                        .toList();
                units.add(new EncoderRows.Unit(row.number(), row.query(), List.of(), documents, 1));
                vectors.add(doubles(embedder.embed(List.of(row.query()), TextRole.QUERY)[0]));
                for (float[] vector : embedder.embed(documents, TextRole.PASSAGE)) {
                    vectors.add(doubles(vector));
                }
            }
        }
        assertThat(ContrastiveLoss.of(units, vectors, 20).value()).isCloseTo(after, within(MERGED));
        try (LoraAdapter adapter = LoraAdapter.load(out.resolve("adapter"))) {
            assertThat(adapter.targets()).contains("encoder.layer.0.attention.self.query.weight");
        }
    }

    private static double[] doubles(float[] vector) {
        double[] values = new double[vector.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = vector[i];
        }
        return values;
    }

    @Test
    void aRerankerGetsAHeadAndIsTrainedFurther() {
        Path out = temp.resolve("out");
        TrainingReport report = trainer(rank2())
                .evaluatedBy(TinyBert.pairs())
                .savedTo(out)
                .train(
                        TinyBert.pairs(),
                        EncoderObjective.binaryCrossEntropy(),
                        options().epochs(60).learningRate(2e-2).build())
                .run();
        double after = report.after().loss().orElseThrow();
        assertThat(after).isLessThan(0.5 * report.before().loss().orElseThrow());
        assertThat(report.after().rewardAccuracy()).hasValue(1);
        assertThat(out.resolve("modules.json")).doesNotExist();
        try (OnnxReranker reranker = OnnxReranker.open(
                out, RerankerOptions.builder().cache(temp.resolve("cache")).build())) {
            float[] scores = reranker.score("what is red", List.of("the apple is a red fruit", "the blue sky"));
            assertThat(scores[0]).isGreaterThan(0.5f);
            assertThat(scores[1]).isLessThan(0.5f);
        }
        TrainingReport further = EncoderTrainer.on(out, rank2())
                .evaluatedBy(TinyBert.pairs())
                .train(
                        TinyBert.pairs(),
                        EncoderObjective.binaryCrossEntropy(),
                        options().build())
                .run();
        assertThat(further.before().loss().orElseThrow()).isCloseTo(after, within(MERGED));
        TrainingReport adapter = EncoderTrainer.continuing(model, out.resolve("adapter"))
                .evaluatedBy(TinyBert.pairs())
                .train(
                        TinyBert.pairs(),
                        EncoderObjective.binaryCrossEntropy(),
                        options().maxSteps(1).build())
                .run();
        assertThat(adapter.before().loss().orElseThrow()).isCloseTo(after, within(MERGED));
    }

    @Test
    void theModelIsThatOfTheBestEvaluation() {
        TrainingOptions.Builder options =
                options().learningRate(0.3).evaluateEvery(1).schedule(LearningRateSchedule.constant());
        TrainingReport best = evaluated(options.build());
        TrainingReport last = evaluated(options.keepBest(false).build());
        assertThat(best.keptStep()).isLessThan(best.steps());
        assertThat(best.after().loss().orElseThrow())
                .isLessThan(last.after().loss().orElseThrow());
        TrainingReport same = evaluated(options.maxSteps(best.keptStep()).build());
        assertThat(best.after()).isEqualTo(same.after());
        assertThat(best.adapter().trainables().parameters().get(0).values())
                .isEqualTo(same.adapter().trainables().parameters().get(0).values());
    }

    private TrainingReport evaluated(TrainingOptions options) {
        RelevanceDataset opposite = RelevanceDataset.of(
                "opposite",
                List.of(
                        Map.of("query", "what is red", "positive", "the sky is blue"),
                        Map.of("query", "what is blue", "positive", "the apple is a red fruit")));
        return trainer(rank2())
                .evaluatedBy(opposite)
                .train(TinyBert.triples(), EncoderObjective.contrastive(), options)
                .run();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 5})
    void aRunThatWasEndedContinuesWithTheSameBits(int end) {
        TrainingOptions options =
                options().batchSize(2).epochs(4).saveEvery(1).shuffle(true).build();
        Map<String, float[]> whole = run("whole", options, Integer.MAX_VALUE);
        assertThatThrownBy(() -> run("ended", options, end)).isInstanceOf(CancelledException.class);
        assertThat(temp.resolve("ended")).doesNotExist();
        Map<String, float[]> continued = run("ended", options, Integer.MAX_VALUE);
        assertThat(continued.keySet()).isEqualTo(whole.keySet());
        whole.forEach((name, values) -> assertThat(continued.get(name)).as(name).isEqualTo(values));
        assertThat(temp.resolve("ended.checkpoints")).doesNotExist();
    }

    private Map<String, float[]> run(String name, TrainingOptions options, int end) {
        List<Job<TrainingReport>> job = new ArrayList<>();
        job.add(trainer(LoraOptions.builder().rank(2).dropout(0.1).build())
                .savedTo(temp.resolve(name))
                .onStep(step -> {
                    if (step.step() == end) {
                        job.get(0).cancel();
                    }
                })
                .train(TinyBert.triples(), EncoderObjective.contrastive(), options));
        job.get(0).run();
        try (SafetensorsFile file = SafetensorsFile.open(temp.resolve(name).resolve("model.safetensors"))) {
            Map<String, float[]> values = new TreeMap<>();
            file.tensors().keySet().forEach(tensor -> values.put(tensor, file.floats(tensor)));
            return values;
        }
    }

    @Test
    void aPlanCountsTheActivationsOfARun() {
        long[] memory = new long[3];
        for (int i = 0; i < memory.length; i++) {
            TrainingPlan plan = trainer(rank2())
                    .plan(
                            TinyBert.pairs(),
                            EncoderObjective.binaryCrossEntropy(),
                            options().batchSize(i + 1).weightMemory(0).build());
            memory[i] = plan.memory();
            // At least the stream of each token before and after the two blocks of both layers, in 32-bit floats.
            assertThat(plan.memory() - 16 * plan.trainable())
                    .isGreaterThan(4L * (i + 1) * plan.longest() * TinyBert.WIDTH * 5);
        }
        assertThat(memory[1] - memory[0]).isPositive().isEqualTo(memory[2] - memory[1]);
    }

    @Test
    void aTargetThatExistsIsRefusedBeforeTheFirstStep() throws IOException {
        Path out = Files.createDirectories(temp.resolve("taken"));
        Files.writeString(out.resolve("file"), "mine");
        List<TrainingStep> steps = new ArrayList<>();
        assertThatThrownBy(() -> trainer(rank2())
                        .savedTo(out)
                        .onStep(steps::add)
                        .train(
                                TinyBert.pairs(),
                                EncoderObjective.binaryCrossEntropy(),
                                options().build())
                        .run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(out + " must not exist or be an empty folder; choose another folder or delete it");
        assertThat(steps).isEmpty();
        assertThat(out.resolve("file")).hasContent("mine");
    }

    @Test
    void accumulatedBatchesAreAveraged() {
        RelevanceDataset pairs = TinyBert.pairs();
        TrainingReport one = trainer(rank2())
                .train(pairs, EncoderObjective.binaryCrossEntropy(), options().build())
                .run();
        TrainingReport two = trainer(rank2())
                .train(
                        pairs,
                        EncoderObjective.binaryCrossEntropy(),
                        options().batchSize(2).accumulation(2).build())
                .run();
        for (int i = 0; i < one.log().size(); i++) {
            assertThat(losses(two).get(i)).isCloseTo(losses(one).get(i), within(REFERENCE));
        }
    }

    @Test
    void whatMakesTrainingUselessIsNoticed() {
        RelevanceDataset rows = RelevanceDataset.of(
                "rows",
                List.of(
                        Map.of("query", "what", "document", "the sky", "label", 1),
                        Map.of("query", "what", "document", "a leaf", "label", 1)));
        TrainingReport report = trainer(rank2())
                .evaluatedBy(rows)
                .train(
                        rows,
                        EncoderObjective.binaryCrossEntropy(),
                        options().maxSteps(1).build())
                .run();
        assertThat(report.notices())
                .contains(
                        "All labels are on one side of 0.5, from which no difference is learned; add pairs of the other",
                        "2 evaluation rows are trained, too, so their loss says nothing about other rows; remove them from"
                                + " one of the files");
    }

    @Test
    void otherPositivesOfAQueryAreNoneOfItsNegatives() {
        EncoderRows.Unit one = new EncoderRows.Unit(1, "q", List.of(), List.of("a"), 1);
        EncoderRows.Unit two = new EncoderRows.Unit(2, "q", List.of(), List.of("b"), 1);
        double[] v = {1, 0};
        assertThat(ContrastiveLoss.of(List.of(one, two), List.of(v, v, v, v), 20)
                        .value())
                .isZero();
    }

    @Test
    void rowsThatCannotBeUsedAreRefusedWithTheirNumber() throws IOException {
        Path file = Files.writeString(
                temp.resolve("rows.jsonl"),
                "{\"query\": \"a\", \"positive\": \"b\"}\n{\"query\": \"a\", \"document\": \"b\", \"label\": 2}\n");
        assertThatThrownBy(() -> RelevanceDataset.jsonl(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + ": row 2 has 2 as label, which must be true, false or a number in [0, 1];"
                        + " correct or remove the row");
        assertThatThrownBy(() -> RelevanceDataset.of("rows", List.of(Map.of("query", " ", "positive", "b"))))
                .hasMessageContaining("rows: row 1 has \" \" as query, which must be a text that is not empty");
        assertThatThrownBy(() -> RelevanceDataset.of("rows", List.of(Map.of("query", "a", "text", "b"))))
                .hasMessageContaining(
                        "which must be query, positive and perhaps negatives, or query, document and label");
        assertThatThrownBy(() -> trainer(rank2())
                        .train(
                                RelevanceDataset.of("rows", List.of(Map.of("query", "a", "document", "b", "label", 0))),
                                EncoderObjective.contrastive(),
                                options().build())
                        .run())
                .hasMessage("rows has no positive document, from which an embedder learns; give rows with a label of at"
                        + " least 0.5");
    }

    @Test
    void aCrossEncoderIsNoEmbedder() {
        Path out = temp.resolve("out");
        trainer(rank2())
                .savedTo(out)
                .train(
                        TinyBert.pairs(),
                        EncoderObjective.binaryCrossEntropy(),
                        options().maxSteps(1).build())
                .run();
        assertThatThrownBy(() -> EncoderTrainer.on(out, rank2())
                        .train(
                                TinyBert.triples(),
                                EncoderObjective.contrastive(),
                                options().build())
                        .run())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(out + " holds a model that gives scores, not vectors; train it as a reranker");
    }

    @Test
    void aPlanSaysWhatIsTrained() {
        TrainingPlan plan = trainer(rank2())
                .plan(
                        TinyBert.triples(),
                        EncoderObjective.contrastive(),
                        options().build());
        assertThat(plan.rows()).isEqualTo(4);
        assertThat(plan.steps()).isEqualTo(6);
        assertThat(plan.modules()).hasSize(12);
        assertThat(plan.trainable()).isEqualTo(2 * (8 * 2 * TinyBert.WIDTH + 4 * (TinyBert.WIDTH + 24)));
    }
}
