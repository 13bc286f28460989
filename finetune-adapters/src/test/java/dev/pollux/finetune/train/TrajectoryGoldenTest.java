package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.TokenMeasures;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
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
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every step of the reference tools' training runs, from the same tokens: losses, gradients, rates and the final adapter. */
@NoLeaks
class TrajectoryGoldenTest {

    // Those of the reference data's README, which have room for another order of summation.
    private static final double LOSS = 1e-5; // relative
    private static final double GRADIENT = 5e-5; // relative, by the norm of the difference
    private static final double ADAPTER = 5e-5; // absolute
    private static final double LOGITS = 1e-4; // absolute
    private static final double RATE = 1e-12;

    /** Means over all positions, padding included, of which there is none here. */
    private static final List<String> INCOMPARABLE = List.of("num_tokens", "logits/chosen", "logits/rejected");

    @TestFactory
    Stream<DynamicTest> runsGoAsThoseOfTheReferenceTools() {
        List<Path> folders = new ArrayList<>();
        for (String set : List.of("finetune/sft", "finetune/preference")) {
            folders.addAll(
                    ReferenceData.cases(ReferenceData.golden(set), path -> Files.exists(path.resolve("case.json"))));
        }
        return folders.stream()
                .map(file -> TrajectoryCase.of(file))
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> check(one)));
    }

    /** Each way to keep or to compute again has some of the cases. */
    private static Kept kept(String name) {
        if (name.contains("qwen")) {
            return Kept.NOTHING;
        }
        return name.hashCode() % 2 == 0 ? Kept.ATTENTION : new Kept(true, 1 << 20);
    }

    private static void check(TrajectoryCase one) throws Exception {
        try (Checkpoint base = Checkpoint.open(one.base());
                LoraAdapter initial = LoraAdapter.load(one.folder().resolve("initial"))) {
            Trainables trained =
                    AdapterFile.load(initial, base.tensors().tensors().keySet());
            Residuals residuals =
                    Files.exists(one.folder().resolve("converted")) ? new Residuals(trained.modules()) : Residuals.NONE;
            Optional<Trainables> reference = !one.objective().needsReference()
                    ? Optional.empty()
                    : Optional.of(one.continues() ? trained.copy() : Trainables.NONE);
            ModelPair.Setting setting = new ModelPair.Setting(
                    base.config(), base.settings(), base.tensors(), 128, 1, Long.MAX_VALUE, kept(one.name()));
            try (ModelPair models = new ModelPair(setting, trained, residuals, reference)) {
                compareLogits(one, "initial", models);
                steps(one, trained, models);
                compareLogits(one, "final", models);
            }
            compareAdapter(one, trained);
        }
    }

    private static void steps(TrajectoryCase one, Trainables trained, ModelPair models) {
        DecoderSteps runner = new DecoderSteps(models, trained, one.objective(), one.options());
        LearningRate rates = one.rates();
        List<JsonNode> steps = one.steps();
        for (int i = 0; i < steps.size(); i++) {
            JsonNode expected = steps.get(i);
            double rate = one.options().learningRate() * rates.share(i);
            assertThat(rate)
                    .as("rate of step %d", i)
                    .isCloseTo(expected.path("lr_used").path(0).asDouble(-1), within(RATE));
            List<MicroBatch> batches = TrajectoryCase.batches(expected);
            if (i == 0) {
                runner.gradients(batches, JobContext.NONE);
                compareGradients(one, trained);
            }
            StepRunner.Step found = runner.step(batches, rate, JobContext.NONE);
            close("loss of step " + i, found.loss(), expected.path("loss").asDouble(0));
            for (int j = 0; j < found.losses().size(); j++) {
                close(
                        "loss of micro-batch " + j + " of step " + i,
                        found.losses().get(j),
                        expected.path("micro_loss").path(j).asDouble(0));
            }
            close(
                    "norm of step " + i,
                    found.gradientNorm(),
                    expected.path("grad_norm_before_clip").asDouble(0));
            compareMetrics(i, found, expected.path("metrics"));
        }
    }

    private static void close(String what, double found, double expected) {
        assertThat(found).as(what).isCloseTo(expected, within(LOSS * Math.max(Math.abs(expected), 1e-3)));
    }

    private static void compareMetrics(int step, StepRunner.Step found, JsonNode expected) {
        for (Map.Entry<String, JsonNode> metric : expected.properties()) {
            Double own = found.metrics().get(metric.getKey());
            if (own != null && !INCOMPARABLE.contains(metric.getKey())) {
                assertThat(own)
                        .as("%s of step %d", metric.getKey(), step)
                        .isCloseTo(metric.getValue().asDouble(0), within(LOGITS));
            }
        }
    }

    private static void compareGradients(TrajectoryCase one, Trainables trained) {
        try (SafetensorsFile expected = SafetensorsFile.open(one.folder().resolve("grads_step1.safetensors"))) {
            for (Parameter parameter : trained.parameters()) {
                float[] values = expected.floats(key(expected, parameter));
                double difference = 0;
                double norm = 0;
                for (int i = 0; i < values.length; i++) {
                    difference += Math.pow(values[i] - parameter.gradient()[i], 2);
                    norm += (double) values[i] * values[i];
                }
                assertThat(Math.sqrt(difference))
                        .as("gradient of %s", parameter.name())
                        .isLessThanOrEqualTo(GRADIENT * Math.sqrt(norm));
            }
        }
    }

    /** The name of a parameter in a file of PEFT. */
    private static String key(SafetensorsFile file, Parameter parameter) {
        String module = parameter.tensor().substring(0, parameter.tensor().lastIndexOf('.'));
        String suffix = switch (parameter.kind()) {
            case A -> ".lora_A.weight";
            case B -> ".lora_B.weight";
            case MAGNITUDE -> ".lora_magnitude_vector";
            case ADDED_BIAS -> ".lora_B.bias";
            case BIAS -> ".base_layer.bias";
            case WHOLE -> ".weight";
        };
        String key = "base_model.model." + module + suffix;
        return file.tensors().containsKey(key) ? key : key + ".weight";
    }

    private static void compareAdapter(TrajectoryCase one, Trainables trained) {
        Path file = one.folder().resolve("final/adapter_model.safetensors");
        try (SafetensorsFile expected = SafetensorsFile.open(file)) {
            for (Parameter parameter : trained.parameters()) {
                float[] values = expected.floats(key(expected, parameter));
                for (int i = 0; i < values.length; i++) {
                    assertThat((double) parameter.values()[i])
                            .as("%s [%d]", parameter.name(), i)
                            .isCloseTo(values[i], within(ADAPTER));
                }
            }
            assertThat(trained.modules()).extracting(LoraModule::rank).allMatch(rank -> rank > 0);
        }
    }

    /** By the probabilities of the probe's own tokens and the means of logits. */
    private static void compareLogits(TrajectoryCase one, String when, ModelPair models) {
        try (SafetensorsFile expected = SafetensorsFile.open(one.folder().resolve("probe_logits.safetensors"))) {
            int at = 0;
            for (JsonNode probe : one.json().path("probe")) {
                int[] ids = TrajectoryCase.ints(probe);
                boolean[] all = new boolean[ids.length];
                Arrays.fill(all, true);
                float[] logits = expected.floats(when + ".seq" + at++); // (tokens, vocabulary)
                int vocabulary = logits.length / ids.length;
                try (Activations activations = models.forward(
                        TokenBatch.of(List.of(new Sequence(ids, all))), OptionalLong.empty(), JobContext.NONE)) {
                    TokenMeasures measures = models.measures(activations, JobContext.NONE);
                    for (int i = 0; i < ids.length - 1; i++) {
                        float[] row = Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary);
                        assertThat((double) measures.logProbabilities()[i])
                                .as("%s, probe %d, token %d", when, at - 1, i)
                                .isCloseTo(row[ids[i + 1]] - logSum(row), within(LOGITS));
                        assertThat((double) measures.meanLogits()[i]).isCloseTo(mean(row), within(LOGITS));
                    }
                }
            }
        }
    }

    private static double logSum(float[] row) {
        double sum = 0;
        for (float value : row) {
            sum += Math.exp(value);
        }
        return Math.log(sum);
    }

    private static double mean(float[] row) {
        double sum = 0;
        for (float value : row) {
            sum += value;
        }
        return sum / row.length;
    }
}
