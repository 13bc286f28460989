package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.internal.math.Float16;
import dev.pollux.merging.MergePreview;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TypeNames;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures of the reference tool, made again and run. */
@NoLeaks
class MixtureGoldenTest {

    /** The reference runs the model in bfloat16. */
    private static final double HIDDEN = 1e-2;

    private static final double EXACT = 1e-6;

    /** How many tokens are read, of those from the middle of the vocabulary. */
    private static final int TOKENS = 7;

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> mixturesAgreeWithTheReferenceTool() {
        Path mixtures = ReferenceData.golden("merge/moe");
        Path set = mixtures.getParent();
        return ReferenceData.cases(mixtures, Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(set, folder)));
    }

    private void check(Path set, Path folder) {
        ObjectNode expected = JsonFile.object(folder.resolve("expected.json")).orElseThrow();
        MixturePlan plan = MixtureYaml.read(folder.resolve("config.yml"));
        MixtureMerger merger = MixtureMerger.in(
                set.resolve("models"), MergeOptions.builder().threads(2).build());
        MergePreview preview = merger.plan(plan);
        assertThat(preview.problems()).isEmpty();
        Path target = temp.resolve(folder.getFileName());

        MixtureReport report = merger.merge(plan, target).run();

        ObjectNode config = JsonFile.object(target.resolve("config.json")).orElseThrow();
        expected.path("config").properties().forEach(entry -> {
            JsonNode found = config.path(entry.getKey());
            if (entry.getValue().isNull()) {
                assertThat(found.isNull() || found.isMissingNode())
                        .as(entry.getKey())
                        .isTrue();
            } else {
                assertThat(found).as(entry.getKey()).isEqualTo(entry.getValue());
            }
        });
        try (SafetensorsFolder ours = SafetensorsFolder.open(target);
                SafetensorsFile theirs = SafetensorsFile.open(folder.resolve("mlp.safetensors"));
                SafetensorsFolder base = SafetensorsFolder.open(
                        set.resolve("models").resolve(plan.base().model()))) {
            checkShapes(ours, expected, preview);
            for (String name : ours.tensors().keySet()) {
                float[] found = ours.floats(name);
                if (!name.contains(".mlp.")) {
                    assertThat(found)
                            .as(name)
                            .isEqualTo(
                                    rounded(base.floats(name), ours.info(name).type()));
                } else if (theirs.tensors().containsKey(name)) {
                    boolean gate = name.endsWith("gate.weight");
                    double tolerance = gate && plan.gateMode().readsHiddenStates() ? HIDDEN : EXACT;
                    checkWithin(name, found, theirs.floats(name), tolerance);
                } else if (name.endsWith("gate.weight")) {
                    checkRandom(name, found, plan.gateMode(), ours.info(name).dim(1));
                }
            }
            assertThat(report.tensors()).isEqualTo(ours.tensors().size());
        }
        try (Checkpoint checkpoint = Checkpoint.open(target)) {
            assertThat(checkpoint.config().architecture()).isEqualTo(report.architecture());
        }
        checkRuns(target);
    }

    /** The exported graph reads a text at once as token by token, and goes on with it. */
    private void checkRuns(Path mixture) {
        int vocabulary = JsonFile.object(mixture.resolve("config.json"))
                .orElseThrow()
                .path("vocab_size")
                .asInt();
        int[] ids = IntStream.range(0, TOKENS)
                .map(i -> (vocabulary / 2 + 5 * i) % vocabulary)
                .toArray();
        try (OnnxGenerator generator = FloatEngine.open(mixture, temp)) {
            float[] atOnce;
            float[] oneByOne = {};
            try (DecoderSequence sequence = generator.model().sequence()) {
                atOnce = FloatEngine.values(sequence.append(ids));
            }
            try (DecoderSequence sequence = generator.model().sequence()) {
                for (int id : ids) {
                    oneByOne = FloatEngine.values(sequence.append(id));
                }
            }
            for (float value : atOnce) {
                assertThat(value).isFinite();
            }
            assertThat(oneByOne).containsExactly(atOnce, within(1e-4f));

            Generation generation = generator.generate(
                    Prompt.text("the quick brown fox"),
                    GenerationOptions.builder().maxTokens(5).build());
            assertThat(generation.tokens()).isNotEmpty().hasSizeLessThanOrEqualTo(5);
        }
    }

    private static void checkShapes(SafetensorsFolder ours, ObjectNode expected, MergePreview preview) {
        Map<String, String> wanted = new TreeMap<>();
        expected.path("tensors")
                .properties()
                .forEach(entry -> wanted.put(
                        entry.getKey(),
                        entry.getValue().path("dtype").asString()
                                + entry.getValue()
                                        .path("shape")
                                        .valueStream()
                                        .map(JsonNode::asLong)
                                        .toList()));
        Map<String, String> found = new TreeMap<>();
        ours.tensors().forEach((name, info) -> found.put(name, TypeNames.of(info.type()) + info.shape()));
        assertThat(found).isEqualTo(wanted);
        Map<String, String> announced = new TreeMap<>();
        preview.tensors().forEach(tensor -> announced.put(tensor.name(), TypeNames.of(tensor.type()) + tensor.shape()));
        assertThat(announced).isEqualTo(wanted);
    }

    private static float[] rounded(float[] values, DType type) {
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case BF16 -> Float16.fromBfloat16(Float16.toBfloat16(values[i]));
                case F16 -> Float16.toFloat(Float16.fromFloat(values[i]));
                default -> values[i];
            };
        }
        return values;
    }

    private static void checkWithin(String name, float[] found, float[] due, double tolerance) {
        assertThat(found.length).as(name).isEqualTo(due.length);
        for (int i = 0; i < due.length; i++) {
            assertThat((double) found[i]).as("%s[%d]", name, i).isCloseTo(due[i], within(tolerance));
        }
    }

    /** Mean and deviation within five standard errors. */
    private static void checkRandom(String name, float[] values, MixturePlan.GateMode mode, int width) {
        double due = mode == MixturePlan.GateMode.RANDOM ? 1 : 1 / Math.sqrt(3.0 * width);
        double mean = 0;
        for (float value : values) {
            mean += value / values.length;
        }
        double square = 0;
        for (float value : values) {
            square += (value - mean) * (value - mean) / values.length;
        }
        assertThat(mean).as(name).isCloseTo(0, within(5 * due / Math.sqrt(values.length)));
        assertThat(Math.sqrt(square)).as(name).isCloseTo(due, within(5 * due / Math.sqrt(2.0 * values.length)));
    }
}
