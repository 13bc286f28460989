package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.inference.quantize.WeightFormat;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Sequences of unequal lengths that share their steps get the logits that each gets alone, in every reference checkpoint. */
@NoLeaks
class JointStepsTest {

    private static final int STEPS = 3;

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyVariantReadsSeveralSequencesInOneStep() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .flatMap(folder -> Stream.of(WeightFormat.FLOAT, WeightFormat.BITS_8, WeightFormat.BITS_4)
                        .map(format -> DynamicTest.dynamicTest(
                                folder.getFileName() + " " + format, () -> check(folder, format))));
    }

    private void check(Path folder, WeightFormat format) throws IOException {
        Path target = temp.resolve(folder.getFileName() + "." + format);
        ExportOptions options = ExportOptions.builder().weights(format).blockSize(format == WeightFormat.FLOAT ? 0 : 16).build();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DecoderExport.export(checkpoint, target, options).run();
        }
        EngineOptions engine = EngineOptions.builder().threads(1).build();
        DecoderGraph graph = DecoderGraph.exported(target);
        try (DecoderModel model = DecoderModel.open(target, engine);
                DecoderSession session = DecoderSession.open(graph, engine)) {
            long seed = 1;
            new Run(model, session, new Random(seed)).check(folder.getFileName() + " " + format);
        }
    }

    record Run(DecoderModel model, DecoderSession session, Random random) {
        void check(String what) {
            DecoderManifest manifest = model.manifest();
            int change = manifest.rotarySwitch();
            int[] lengths = {1 + random.nextInt(6), 8 + random.nextInt(12), 30 + random.nextInt(20)};
            if (change > 0) {
                lengths = new int[] {change / 2, change - STEPS, change + 1};
            }
            int most = lengths[2] + STEPS;
            int b = lengths.length;
            List<DecoderSequence> alone = new ArrayList<>();
            double worst = 0, scale = 0;
            try (JointSteps joint = new JointSteps(session, b, most, Map.of())) {
                for (int i = 0; i < b; i++) {
                    int[] prompt = tokens(lengths[i], manifest.vocabularySize());
                    alone.add(model.sequence());
                    alone.get(i).append(prompt);
                    try (JointSteps one = new JointSteps(session, 1, most, Map.of())) {
                        one.run(GraphInput.Step.of(prompt, 0, 1, offset(lengths[i])));
                        joint.take(i, one);
                    }
                }
                for (int step = 0; step < STEPS; step++) {
                    int[] next = tokens(b, manifest.vocabularySize());
                    int[] past = new int[b];
                    long[] offsets = new long[b];
                    for (int i = 0; i < b; i++) {
                        past[i] = lengths[i] + step;
                        offsets[i] = offset(lengths[i]);
                    }
                    joint.run(new GraphInput.Step(next, past, 1, offsets));
                    for (int i = 0; i < b; i++) {
                        float[] due = TinyDecoders.copy(alone.get(i).append(next[i]));
                        FloatBuffer got = joint.logits(i);
                        for (int v = 0; v < due.length; v++) {
                            worst = Math.max(worst, Math.abs(due[v] - got.get(v)));
                            scale = Math.max(scale, Math.abs(due[v]));
                        }
                    }
                }
            }
            alone.forEach(DecoderSequence::close);
            System.out.printf("%-30s %s worst %.3g of %.3g%n", what, Arrays.toString(lengths), worst, scale);
        }

        private long offset(int length) {
            int change = model.manifest().rotarySwitch();
            return change > 0 && length > change ? model.manifest().contextLength() : 0;
        }

        private int[] tokens(int count, int vocabulary) {
            return random.ints(count, 0, vocabulary).toArray();
        }
    }
}
