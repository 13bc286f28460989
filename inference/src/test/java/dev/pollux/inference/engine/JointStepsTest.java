package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sequences that share a step get the logits that each gets alone, in every variant of the golden set {@code decoder}. */
@NoLeaks
class JointStepsTest {

    private static final int SEQUENCES = 3;
    private static final int STEPS = 3;

    /** Of the largest logit. Kernels may add up in another order for another number of rows. */
    private static final double FLOAT_TOLERANCE = 1e-4;

    /** Of the largest logit. Activations are rounded to 8 bits, which turns a difference in a last place into a whole code. */
    private static final double ROUNDED_TOLERANCE = 2e-2;

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyVariantReadsSequencesOfUnequalLengthsInOneStep() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .flatMap(folder -> Stream.of(WeightFormat.FLOAT, WeightFormat.BITS_8, WeightFormat.BITS_4)
                        .map(format -> DynamicTest.dynamicTest(
                                folder.getFileName() + " " + format,
                                () -> run(folder, format, Map.of(), Variant::unequalLengths))));
    }

    @TestFactory
    Stream<DynamicTest> everyVariantReadsPromptsOfEqualLengthInOneStep() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(
                        folder.getFileName().toString(),
                        () -> run(folder, WeightFormat.FLOAT, Map.of(), Variant::equalPrompts)));
    }

    @ParameterizedTest
    @MethodSource("dev.pollux.inference.engine.FormulaModel#names")
    void everyFamilyReadsSeveralSequencesInOneStep(String variant) throws IOException {
        FormulaModel.read(variant).write(temp.resolve("model"));
        run(temp.resolve("model"), WeightFormat.FLOAT, Map.of(), Variant::both);
    }

    /** A mixture of experts and a plain decoder, the latter with an adapter: they need no reference data. */
    @Test
    void expertsAndAdaptersShareStepsToo() throws IOException {
        Path llama = TinyDecoder.llama(1).write(temp.resolve("llama"));
        Path mixtral = TinyDecoder.mixtral(2, 4).write(temp.resolve("mixtral"));
        Path adapter = TinyDecoder.llama(1).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
        run(mixtral, WeightFormat.FLOAT, Map.of(), Variant::unequalLengths);
        run(llama, WeightFormat.FLOAT, Map.of(adapter, 1.0), Variant::both);
    }

    @FunctionalInterface
    private interface Check {
        void run(Variant variant);
    }

    private void run(Path folder, WeightFormat format, Map<Path, Double> adapters, Check check) {
        Path target = temp.resolve(folder.getFileName() + "." + format);
        ExportOptions.Builder options = ExportOptions.builder().weights(format);
        if (format != WeightFormat.FLOAT) {
            options.blockSize(16);
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DecoderExport.export(checkpoint, target, options.build()).run();
        }
        EngineOptions engine =
                EngineOptions.builder().threads(1).adapters(!adapters.isEmpty()).build();
        long seed = new Random().nextLong();
        DecoderGraph graph = DecoderGraph.exported(target);
        assertThat(graph.manifest().isBatched()).isTrue();
        try (DecoderModel model = DecoderModel.open(graph, engine);
                DecoderSession session = DecoderSession.open(graph, engine)) {
            double tolerance = format == WeightFormat.FLOAT ? FLOAT_TOLERANCE : ROUNDED_TOLERANCE;
            LoadedAdapter adapter = adapters.isEmpty() ? model.none() : model.load(adapters);
            check.run(new Variant(model, session, adapter, tolerance, new Random(seed), "seed " + seed));
        }
    }

    /** A model, once for sequences alone and once for shared steps. */
    private record Variant(
            DecoderModel model,
            DecoderSession session,
            LoadedAdapter adapter,
            double tolerance,
            Random random,
            String when) {

        void both() {
            unequalLengths();
            equalPrompts();
        }

        /** Prompts are read alone; each of the steps that follow reads a token of every sequence. */
        void unequalLengths() {
            int[] lengths = lengths();
            int[][] prompts = new int[SEQUENCES][];
            int[][] next = new int[SEQUENCES][];
            float[][][] due = new float[SEQUENCES][][];
            int most = Arrays.stream(lengths).max().orElseThrow() + STEPS;
            try (JointSteps joint = joint(SEQUENCES, most)) {
                for (int i = 0; i < SEQUENCES; i++) {
                    prompts[i] = tokens(lengths[i]);
                    next[i] = tokens(STEPS);
                    due[i] = alone(prompts[i], next[i]);
                    try (JointSteps one = joint(1, most)) {
                        one.run(GraphInput.Step.of(prompts[i], 0, 1, rotaryOffset(lengths[i])));
                        joint.take(i, one);
                    }
                }
                for (int step = 0; step < STEPS; step++) {
                    int at = step;
                    int[] tokens = Arrays.stream(next).mapToInt(own -> own[at]).toArray();
                    int[] past =
                            Arrays.stream(lengths).map(length -> length + at).toArray();
                    long[] offsets =
                            Arrays.stream(lengths).mapToLong(this::rotaryOffset).toArray();
                    joint.run(GraphInput.Step.joint(tokens, past, offsets));
                    for (int i = 0; i < SEQUENCES; i++) {
                        near(joint.logits(i), due[i][step + 1], "sequence " + i + ", step " + step);
                    }
                }
            }
        }

        void equalPrompts() {
            int length = 2 + random.nextInt(20);
            int[] all = tokens(SEQUENCES * length);
            long[] offsets = new long[SEQUENCES];
            Arrays.fill(offsets, rotaryOffset(length));
            try (JointSteps joint = joint(SEQUENCES, length)) {
                joint.run(new GraphInput.Step(all, new int[SEQUENCES], 0, 1, offsets));
                for (int i = 0; i < SEQUENCES; i++) {
                    int[] own = Arrays.copyOfRange(all, i * length, (i + 1) * length);
                    near(joint.logits(i), alone(own)[0], "prompt " + i + " of " + length);
                }
            }
        }

        /** Two sets of rotary tables meet in one step; none of the sequences changes its set. */
        private int[] lengths() {
            int change = model.manifest().rotarySwitch();
            if (change > STEPS) {
                return new int[] {change + 1, 1, change - STEPS};
            }
            return new int[] {1 + random.nextInt(6), 30 + random.nextInt(20), 8 + random.nextInt(12)};
        }

        private long rotaryOffset(int length) {
            DecoderManifest manifest = model.manifest();
            boolean beyond = manifest.rotarySwitch() > 0 && length > manifest.rotarySwitch();
            return beyond ? manifest.contextLength() : 0;
        }

        private int[] tokens(int count) {
            return random.ints(count, 0, model.manifest().vocabularySize()).toArray();
        }

        private JointSteps joint(int sequences, int most) {
            return new JointSteps(session, sequences, most, adapter.inputs());
        }

        /** The logits after the prompt and after each token that follows, as the engine gives them. */
        private float[][] alone(int[] prompt, int... next) {
            float[][] logits = new float[next.length + 1][];
            try (DecoderSequence sequence = model.sequence(adapter)) {
                logits[0] = TinyDecoders.copy(sequence.append(prompt));
                for (int i = 0; i < next.length; i++) {
                    logits[i + 1] = TinyDecoders.copy(sequence.append(next[i]));
                }
            }
            return logits;
        }

        private void near(FloatBuffer actual, float[] due, String what) {
            double largest = 0;
            double apart = 0;
            for (int i = 0; i < due.length; i++) {
                largest = Math.max(largest, Math.abs(due[i]));
                apart = Math.max(apart, Math.abs(due[i] - actual.get(i)));
            }
            assertThat(actual.limit()).isEqualTo(due.length);
            assertThat(apart / largest).as("%s, %s", when, what).isLessThan(tolerance);
        }
    }
}
