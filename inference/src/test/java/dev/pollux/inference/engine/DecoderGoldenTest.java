package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** Every variant of the golden set {@code decoder}: exported in float, run in one pass, in pieces, after rollback. */
@NoLeaks
class DecoderGoldenTest {

    /** Small enough to cut the longer prompts into several chunks. */
    private static final int SMALL_CHUNK = 16;

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyVariantGivesTheReferenceLogits() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    /**
     * Eight bits turn logits a little, in any family: a matrix that is taken for another one turns them about. Room for
     * adapters, in which none is loaded, changes nothing.
     */
    @TestFactory
    Stream<DynamicTest> everyVariantRunsInEightBits() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> inEightBits(folder)));
    }

    private void inEightBits(Path folder) throws IOException {
        JsonNode cases = JsonNode.parse(Files.readString(folder.resolve("cases.json")));
        Path target = temp.resolve(folder.getFileName() + ".8bit");
        ExportOptions options = ExportOptions.builder()
                .weights(WeightFormat.BITS_8)
                .blockSize(16)
                .build();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DecoderExport.export(checkpoint, target, options).run();
        }
        try (SafetensorsFile expected = SafetensorsFile.open(
                        folder.resolve(cases.path("expected").asString()));
                DecoderModel model = DecoderModel.open(
                        target,
                        EngineOptions.builder().threads(1).adapters(true).build());
                DecoderSequence sequence = model.sequence()) {
            JsonNode prompt = cases.path("prompts").path(1);
            FloatBuffer logits = sequence.append(ints(prompt.path("ids")));
            float[] due = expected.floats(prompt.path("logits_last").asString());
            assertThat(cosine(logits, due)).isGreaterThan(0.99);
        }
    }

    private static double cosine(FloatBuffer a, float[] b) {
        double dot = 0;
        double squaresA = 0;
        double squaresB = 0;
        for (int i = 0; i < b.length; i++) {
            dot += (double) a.get(i) * b[i];
            squaresA += (double) a.get(i) * a.get(i);
            squaresB += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(squaresA * squaresB);
    }

    /** The same weights under the configuration as transformers 4 spells it. */
    @TestFactory
    Stream<DynamicTest> bothSpellingsOfAConfigurationGiveTheSameLogits() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .filter(folder -> Files.isRegularFile(folder.resolve("config.v4.json")))
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    Path copy = Files.createDirectories(temp.resolve("v4-" + folder.getFileName()));
                    for (Path file : ReferenceData.cases(folder, Files::isRegularFile)) {
                        if (!file.endsWith("config.json")) {
                            Files.copy(file, copy.resolve(file.getFileName()));
                        }
                    }
                    Files.move(copy.resolve("config.v4.json"), copy.resolve("config.json"));
                    check(copy);
                }));
    }

    private void check(Path folder) throws IOException {
        JsonNode cases = JsonNode.parse(Files.readString(folder.resolve("cases.json")));
        Path target = temp.resolve(folder.getFileName() + ".exported");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DecoderExport.export(checkpoint, target, floats()).run();
        } catch (UnsupportedModelException e) {
            throw new TestAbortedException("Not supported yet: "
                    + cases.path("architecture").asString("") + " (" + folder.getFileName() + "): " + e.getMessage());
        }
        try (SafetensorsFile expected =
                SafetensorsFile.open(folder.resolve(cases.path("expected").asString()))) {
            for (int chunk : new int[] {256, SMALL_CHUNK}) {
                EngineOptions options =
                        EngineOptions.builder().prefillChunk(chunk).threads(1).build();
                try (DecoderModel model = DecoderModel.open(target, options)) {
                    new Variant(model, cases, expected).check();
                }
            }
        }
    }

    private static ExportOptions floats() {
        return ExportOptions.builder().weights(WeightFormat.FLOAT).build();
    }

    /** What a golden variant holds, asked of a model. */
    record Variant(DecoderModel model, JsonNode cases, SafetensorsFile expected) {

        void check() {
            assertThat(cases.path("prompts").size()).isPositive();
            for (JsonNode prompt : cases.path("prompts")) {
                int[] ids = ints(prompt.path("ids"));
                inOnePass(prompt, ids);
                inPieces(prompt, ids);
                allLogits(prompt, ids);
                afterRollback(prompt, ids);
                greedy(prompt, ids);
            }
            padded();
        }

        private void inOnePass(JsonNode prompt, int[] ids) {
            try (DecoderSequence sequence = model.sequence()) {
                near("one pass", sequence.append(ids), prompt.path("logits_last"));
            }
        }

        private void inPieces(JsonNode prompt, int[] ids) {
            try (DecoderSequence sequence = model.sequence()) {
                int at = 0;
                FloatBuffer last = null;
                for (JsonNode piece : prompt.path("cached_pieces")) {
                    int[] part = java.util.Arrays.copyOfRange(ids, at, at + piece.asInt());
                    last = sequence.append(part);
                    at += part.length;
                }
                assertThat(at).isEqualTo(ids.length);
                near("in pieces", last, prompt.path("cached_logits_last"));
            }
        }

        private void allLogits(JsonNode prompt, int[] ids) {
            if (!prompt.has("logits_all")) {
                return;
            }
            float[] all = expected.floats(prompt.path("logits_all").asString());
            try (DecoderSequence sequence = model.sequence()) {
                List<Integer> positions = new ArrayList<>();
                sequence.append(ids, (position, logits) -> {
                    positions.add(position);
                    int width = all.length / ids.length;
                    near("position " + position, logits, all, position * width);
                });
                assertThat(positions).hasSize(ids.length);
            }
        }

        private void afterRollback(JsonNode prompt, int[] ids) {
            try (DecoderSequence sequence = model.sequence()) {
                sequence.append(ids);
                sequence.append(ids[0], ids[0], ids[0]);
                int keep = ids.length / 2;
                sequence.truncate(keep);
                FloatBuffer last = sequence.append(java.util.Arrays.copyOfRange(ids, keep, ids.length));
                near("after rollback", last, prompt.path("logits_last"));
            }
        }

        private void greedy(JsonNode prompt, int[] ids) {
            int[] due = ints(prompt.path("greedy").path("ids"));
            float[] logprobs =
                    expected.floats(prompt.path("greedy").path("logprobs").asString());
            try (DecoderSequence sequence = model.sequence()) {
                FloatBuffer logits = sequence.append(ids);
                for (int i = 0; i < due.length; i++) {
                    assertThat(Logits.argmax(logits)).as("greedy token %d", i).isEqualTo(due[i]);
                    assertThat(Logits.logProbability(logits, due[i]))
                            .as("log-probability of greedy token %d", i)
                            .isCloseTo(logprobs[i], within(tolerance("logprobs_absolute")));
                    logits = sequence.append(due[i]);
                }
            }
        }

        /** A padded row of a batch is, for an engine without batches, the same prompt alone. */
        private void padded() {
            JsonNode batch = cases.path("batch");
            float[] rows = expected.floats(batch.path("logits_last").asString());
            for (int row = 0; row < batch.path("input_ids").size(); row++) {
                int[] ids = ints(batch.path("input_ids").path(row));
                int[] mask = ints(batch.path("attention_mask").path(row));
                int from = 0;
                while (mask[from] == 0) {
                    from++;
                }
                try (DecoderSequence sequence = model.sequence()) {
                    FloatBuffer last = sequence.append(java.util.Arrays.copyOfRange(ids, from, ids.length));
                    near("batch row " + row, last, rows, row * last.limit());
                }
            }
        }

        private void near(String what, FloatBuffer actual, JsonNode name) {
            near(what, actual, expected.floats(name.asString()), 0);
        }

        private void near(String what, FloatBuffer actual, float[] due, int from) {
            for (int i = 0; i < actual.limit(); i++) {
                assertThat((double) actual.get(i))
                        .as("%s: logit %d", what, i)
                        .isCloseTo(due[from + i], within(tolerance("logits_absolute")));
            }
        }

        private double tolerance(String name) {
            return cases.path("tolerance").path(name).asDouble();
        }
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }
}
