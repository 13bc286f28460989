package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model learns the predictions of another one. */
@NoLeaks
class DistillationTest {

    /** 32-bit floats summed in another order, after some steps of AdamW. */
    private static final double REFERENCE = 2e-5;

    private static final double STEP = 3e-4;

    /** Central differences of a loss in 32-bit floats, relative. */
    private static final double DIFFERENCE = 5e-3;

    // torch 2.15 and PEFT 0.21 with the divergence of TRL 1.16 (GKDTrainer.generalized_jsd_loss) by beta, and .25 of
    // the
    // cross-entropy.
    private static final Map<Double, double[]> LOSSES = Map.of(
            0.0, new double[] {4.373261451721191, 4.116092681884766, 4.016292095184326, 3.990375518798828},
            0.5, new double[] {2.1322641372680664, 2.1586523056030273, 1.9048899412155151, 1.879394292831421},
            1.0, new double[] {4.317984580993652, 4.427515983581543, 4.071484565734863, 3.945289134979248});
    private static final Map<Double, Double> DIVERGENCES =
            Map.of(0.0, 3.45431649684906, 0.5, 0.4663200378417969, 1.0, 3.380614399909973);

    @TempDir
    Path temp;

    private Path model = Path.of("");
    private Path teacher = Path.of("");
    private Path adapter = Path.of("");

    @BeforeEach
    void write() {
        model = TinyDecoder.llama(3).write(temp.resolve("model"));
        teacher = TinyDecoder.llama(8).inner(64).write(temp.resolve("teacher"));
        adapter = TinyDecoder.llama(3).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
    }

    private static Dataset rows() {
        return Dataset.of(
                "rows",
                List.of(
                        Map.of("prompt", "the capital of", "completion", " France is Paris"),
                        Map.of("prompt", "gravity", "completion", " pulls things down"),
                        Map.of("prompt", "two and three", "completion", " is five"),
                        Map.of("prompt", "hello", "completion", " there")));
    }

    private static TrainingOptions.Builder options() {
        return TrainingOptions.builder()
                .batchSize(2)
                .epochs(2)
                .learningRate(1e-2)
                .shuffle(false)
                .threads(1);
    }

    private TrainingReport train(DistillationOptions distillation, TrainingOptions options) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Checkpoint taught = Checkpoint.open(teacher)) {
            return LoraTrainer.continuing(checkpoint, adapter)
                    .taughtBy(taught, temp.resolve("cache"))
                    .evaluatedBy(rows())
                    .train(rows(), Objective.distillation(distillation), options)
                    .run();
        }
    }

    private static DistillationOptions mixed(double beta) {
        return DistillationOptions.builder().beta(beta).supervisedWeight(0.25).build();
    }

    private static List<Double> losses(TrainingReport report) {
        return report.log().stream().map(TrainingStep::loss).toList();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 1})
    void theDivergenceIsTrainedAsTorchTrainsIt(double beta) {
        TrainingReport report = train(mixed(beta), options().build());
        double[] expected = Objects.requireNonNull(LOSSES.get(beta));
        for (int i = 0; i < expected.length; i++) {
            assertThat(losses(report).get(i)).as("step " + (i + 1)).isCloseTo(expected[i], within(REFERENCE));
        }
        assertThat(report.log().get(0).metrics().get("divergence"))
                .isCloseTo(Objects.requireNonNull(DIVERGENCES.get(beta)), within(REFERENCE));
        assertThat(report.after().loss().orElseThrow())
                .isLessThan(report.before().loss().orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3, 1})
    void gradientsAreThoseOfTheLoss(double beta) {
        Objective objective =
                Objective.distillation(mixed(beta).toBuilder().temperature(1.5).build());
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Checkpoint taught = Checkpoint.open(teacher);
                LoraAdapter initial = LoraAdapter.load(adapter);
                RowTokenizer tokenizer = RowTokenizer.of(checkpoint, "rows", 128)) {
            Trainables trained =
                    AdapterFile.load(initial, checkpoint.tensors().tensors().keySet());
            Teacher teaches = new Teacher.Source(taught, temp.resolve("cache"))
                    .open(
                            ((DistillationObjective) objective).options(),
                            options().build(),
                            128);
            ModelPair.Setting setting = new ModelPair.Setting(
                    checkpoint.config(),
                    checkpoint.settings(),
                    checkpoint.tensors(),
                    128,
                    1,
                    Long.MAX_VALUE,
                    Kept.ATTENTION);
            ModelPair models =
                    new ModelPair(setting, trained, Residuals.NONE, Optional.empty(), Optional.of(teaches.model()));
            try (DecoderSteps steps =
                    new DecoderSteps(models, trained, objective, options().build(), Optional.of(teaches))) {
                PreparedRows rows =
                        PreparedRows.of(rows(), objective, tokenizer, options().build());
                MicroBatch batch = rows.batch(RowOrder.stored(rows.size()).rows(), 0, rows.size());
                steps.gradients(List.of(batch), JobContext.NONE);
                compare(trained, steps, batch);
            }
        }
    }

    /** The derivative along a random direction with central differences. */
    private static void compare(Trainables trained, DecoderSteps steps, MicroBatch batch) {
        SplittableRandom random = new SplittableRandom(7);
        List<float[]> direction = new ArrayList<>();
        double slope = 0;
        for (Parameter parameter : trained.parameters()) {
            float[] own = new float[parameter.values().length];
            for (int i = 0; i < own.length; i++) {
                own[i] = (float) random.nextDouble(-1, 1);
                slope += (double) own[i] * parameter.gradient()[i];
            }
            direction.add(own);
        }
        double more = moved(trained, direction, STEP, steps, batch);
        double less = moved(trained, direction, -2 * STEP, steps, batch);
        assertThat((more - less) / (2 * STEP)).isCloseTo(slope, within(DIFFERENCE * Math.abs(slope)));
    }

    private static double moved(
            Trainables trained, List<float[]> direction, double by, DecoderSteps steps, MicroBatch batch) {
        List<Parameter> parameters = trained.parameters();
        for (int p = 0; p < parameters.size(); p++) {
            float[] values = parameters.get(p).values();
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (by * direction.get(p)[i]);
            }
        }
        steps.refresh();
        return steps.evaluate(batch, JobContext.NONE).loss();
    }

    @Test
    void aRunThatWasEndedContinuesWithTheSameBits() {
        TrainingOptions options = options().saveEvery(1).evaluateEvery(1).build();
        ContinuedRun.requireSameBits(temp, (out, end) -> run(out, options, end));
    }

    private List<TrainingStep> run(String out, TrainingOptions options, int end) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Checkpoint taught = Checkpoint.open(teacher)) {
            return LoraTrainer.continuing(checkpoint, adapter)
                    .taughtBy(taught, temp.resolve("cache"))
                    .evaluatedBy(rows())
                    .savedTo(temp.resolve(out))
                    .onStep(step -> {
                        if (step.step() == end) {
                            throw new CancelledException("ended");
                        }
                    })
                    .train(rows(), Objective.distillation(mixed(0.5)), options)
                    .run()
                    .log();
        }
    }

    @Test
    void whatTheTeacherSaysIsComputedOnce() throws IOException {
        TrainingReport first = train(mixed(0.5), options().build());
        List<Path> files = files();
        assertThat(files).hasSize(4);
        List<FileTime> times = times(files);
        assertThat(losses(train(mixed(0.5), options().build()))).isEqualTo(losses(first));
        assertThat(times(files())).isEqualTo(times);
        Files.write(files.get(0), new byte[3]); // as a full disk might leave it
        assertThat(losses(train(mixed(0.5), options().batchSize(2).build()))).isEqualTo(losses(first));
        assertThat(Files.size(files.get(0))).isGreaterThan(3);
        TinyDecoder.llama(9).inner(64).write(teacher); // in the same folder
        assertThat(losses(train(mixed(0.5), options().build()))).isNotEqualTo(losses(first));
        assertThat(files()).hasSize(8);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(temp.resolve("cache/teachers"))) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static List<FileTime> times(List<Path> files) throws IOException {
        List<FileTime> times = new ArrayList<>();
        for (Path file : files) {
            times.add(Files.getLastModifiedTime(file));
        }
        return times;
    }

    @Test
    void ofALargerVocabularyTheFirstTokensAreCompared() throws IOException {
        List<Double> expected = losses(train(mixed(0), options().build()));
        Path larger = Files.createDirectories(temp.resolve("larger"));
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(teacher.resolve(name), larger.resolve(name));
        }
        String vocabulary = "\"vocab_size\": ";
        Files.writeString(
                larger.resolve("config.json"),
                Files.readString(teacher.resolve("config.json"))
                        .replace(vocabulary + TinyDecoder.VOCABULARY, vocabulary + (TinyDecoder.VOCABULARY + 3)));
        try (SafetensorsFile file = SafetensorsFile.open(teacher.resolve("model.safetensors"));
                SafetensorsWriter writer = SafetensorsWriter.create(
                        larger.resolve("model.safetensors"),
                        List.copyOf(file.tensors().keySet()))) {
            file.tensors().forEach((name, info) -> {
                float[] values = file.floats(name);
                List<Long> shape = info.shape();
                if (shape.get(0) == TinyDecoder.VOCABULARY) {
                    shape = List.of(TinyDecoder.VOCABULARY + 3L, (long) TinyDecoder.WIDTH);
                    int before = values.length;
                    values = Arrays.copyOf(values, before + 3 * TinyDecoder.WIDTH);
                    Arrays.fill(values, before, values.length, 0.5f);
                }
                writer.put(name, DType.F32, shape, values);
            });
            writer.finish();
        }
        Path smaller = teacher;
        teacher = larger;
        assertThat(losses(train(mixed(0), options().build()))).isEqualTo(expected);
        Path student = model;
        model = larger;
        teacher = smaller;
        assertThatThrownBy(() -> train(mixed(0), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The teacher " + smaller + " must predict at least the 263 tokens of " + larger
                        + " but predicts 260; choose a teacher of the same family");
        model = student;
    }

    @Test
    void aTeacherThatDoesNotFitIsRefused() throws IOException {
        Path file = teacher.resolve("tokenizer.json");
        Files.writeString(file, Files.readString(file).replace("\"<pad>\"", "\"<other>\""));
        assertThatThrownBy(() -> train(mixed(0), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The teacher " + teacher + " must have the tokenizer of " + model
                        + ", but token 3 is '<other>' and not '<pad>'; choose a teacher of the same family");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LoraTrainer trainer = LoraTrainer.continuing(checkpoint, adapter);
            assertThatThrownBy(() -> trainer.plan(
                            rows(), Objective.distillation(), options().build()))
                    .hasMessage("distill needs a teacher; say by which model it is taught");
            assertThatThrownBy(() -> trainer.taughtBy(checkpoint, temp)
                            .plan(rows(), Objective.sft(), options().build()))
                    .hasMessage("sft has no teacher; leave it out, or train by distillation");
        }
        assertThat(DistillationOptions.builder().build()).isEqualTo(DistillationOptions.DEFAULTS);
        assertThatThrownBy(() -> DistillationOptions.builder().beta(2).build())
                .hasMessage("beta must be in [0, 1] but was 2.0");
        assertThatThrownBy(() -> DistillationOptions.builder().temperature(0).build())
                .hasMessage("temperature must be above 0 and finite but was 0.0");
        assertThatThrownBy(
                        () -> DistillationOptions.builder().supervisedWeight(1).build())
                .hasMessage("supervisedWeight must be in [0, 1) but was 1.0");
    }
}
