package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/**
 * Every checkpoint of the golden set {@code encoder}: exported, then run text by text, and as batches with padding on the
 * right and on the left, which must change nothing.
 */
@NoLeaks
class EncoderGoldenTest {

    /** Cosine of a vector with its reference: these models are 64 wide and random, so that rounding averages over little. */
    private static final double EIGHT_BITS = 0.998;

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyCheckpointGivesTheReferenceValues() {
        return ReferenceData.cases(ReferenceData.golden("encoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    private void check(Path folder) throws IOException, OrtException {
        JsonNode cases = JsonNode.parse(Files.readString(folder.resolve("cases.json")));
        Path target = temp.resolve(folder.getFileName());
        try {
            EncoderExport.export(folder, target, EncoderWeights.FLOAT).run();
        } catch (UnsupportedModelException e) {
            throw new TestAbortedException("Not supported yet: "
                    + cases.path("architecture").asString("") + " (" + folder.getFileName() + "): " + e.getMessage());
        }
        try (SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            new Variant(folder, target.resolve(EncoderExport.MODEL_FILE), cases, expected).check();
        }
    }

    @TestFactory
    Stream<DynamicTest> eightBitsKeepTheDirectionOfVectors() {
        return ReferenceData.cases(
                        ReferenceData.golden("encoder"), folder -> Files.isRegularFile(folder.resolve("modules.json")))
                .stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> round(folder)));
    }

    private void round(Path folder) throws IOException, OrtException {
        JsonNode cases = JsonNode.parse(Files.readString(folder.resolve("cases.json")));
        Path target = temp.resolve(folder.getFileName() + "-8");
        try {
            EncoderExport.export(folder, target, EncoderWeights.BITS_8).run();
        } catch (UnsupportedModelException e) {
            throw new TestAbortedException("Not supported yet: " + folder.getFileName() + ": " + e.getMessage());
        }
        try (SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            Variant variant = new Variant(folder, target.resolve(EncoderExport.MODEL_FILE), cases, expected);
            variant.asAnEmbedder(variant.texts(), (what, vector, due) -> {
                double cosine = 0;
                for (int i = 0; i < due.length; i++) {
                    cosine += (double) vector[i] * due[i];
                }
                assertThat(cosine).as(what).isGreaterThan(EIGHT_BITS);
            });
        }
    }

    /** How a vector is held against that of the reference. */
    @FunctionalInterface
    private interface Comparison {
        void check(String what, float[] actual, float[] due);
    }

    private record Text(int[] ids, int[] types) {}

    private enum Padding {
        LEFT,
        RIGHT
    }

    private record Variant(Path folder, Path model, JsonNode cases, SafetensorsFile expected) {

        List<Text> texts() {
            List<Text> texts = new ArrayList<>();
            cases.path("texts").forEach(text -> texts.add(text(text)));
            assertThat(texts).isNotEmpty();
            return texts;
        }

        void check() throws OrtException {
            List<Text> texts = texts();
            boolean scores = cases.path("expected").asString("").equals("logits");
            try (OrtSession session = NativeRuntime.environment().createSession(model.toString())) {
                for (int i = 0; i < texts.size(); i++) {
                    List<float[]> alone = run(session, texts.subList(i, i + 1), Padding.RIGHT, scores);
                    compare("alone", i, alone.get(0), scores);
                }
                for (Padding padding : Padding.values()) {
                    List<float[]> batch = run(session, texts, padding, scores);
                    for (int i = 0; i < texts.size(); i++) {
                        compare("padded " + padding, i, batch.get(i), scores);
                    }
                }
            }
            if (!scores) {
                asAnEmbedder(texts, this::near);
            }
        }

        /** What {@link OnnxEmbedder} does with the tokens of a text, by what the checkpoint's folder says. */
        void asAnEmbedder(List<Text> texts, Comparison comparison) throws OrtException {
            EncoderConfig config = EncoderFolder.read(folder).config();
            EmbedderOptions options = EmbedderOptions.DEFAULTS;
            try (EncoderSession session = new EncoderSession(ModelSource.of(model), config, options);
                    EncoderSession.Scratch scratch = session.scratch();
                    NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                for (int i = 0; i < texts.size(); i++) {
                    Text text = texts.get(i);
                    float[] vector = session.embed(text.ids(), text.types(), 0, scratch, run);
                    comparison.check("vector of text " + i, vector, row("vectors", i));
                    if (expected.tensors().containsKey("vectors_left_padded")) {
                        comparison.check("vector of text " + i + ", left", vector, row("vectors_left_padded", i));
                    }
                }
            }
        }

        private void compare(String how, int i, float[] actual, boolean scores) {
            float[] due = scores ? row("logits", i) : expected.floats("hidden." + i);
            near(how + ": text " + i, actual, due);
        }

        private float[] row(String name, int i) {
            int width = expected.info(name).dim(1);
            return expected.floats(name, (long) i * width, width);
        }

        private void near(String what, float[] actual, float[] due) {
            assertThat(actual).as(what).hasSize(due.length);
            for (int i = 0; i < due.length; i++) {
                assertThat((double) actual[i])
                        .as("%s: value %d", what, i)
                        .isCloseTo(due[i], within(cases.path("tolerance").asDouble()));
            }
        }

        /** The values of each text: (real tokens · width), or (labels). */
        private List<float[]> run(OrtSession session, List<Text> texts, Padding padding, boolean scores)
                throws OrtException {
            int longest =
                    texts.stream().mapToInt(text -> text.ids().length).max().orElseThrow();
            Map<String, long[]> inputs = new HashMap<>();
            for (String name : session.getInputNames()) {
                long[] values = new long[texts.size() * longest];
                for (int i = 0; i < texts.size(); i++) {
                    Text text = texts.get(i);
                    Arrays.fill(values, i * longest, (i + 1) * longest, fill(name));
                    int from = i * longest + (padding == Padding.LEFT ? longest - text.ids().length : 0);
                    for (int t = 0; t < text.ids().length; t++) {
                        values[from + t] = value(name, text, t);
                    }
                }
                inputs.put(name, values);
            }
            float[] all = GraphRun.run(session, inputs, texts.size(), longest);
            int width = all.length / texts.size() / (scores ? 1 : longest);
            List<float[]> rows = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                int count = scores ? 1 : texts.get(i).ids().length;
                int first = scores ? i : i * longest + (padding == Padding.LEFT ? longest - count : 0);
                rows.add(Arrays.copyOfRange(all, first * width, (first + count) * width));
            }
            return rows;
        }

        private long fill(String input) {
            return input.equals("input_ids") ? cases.path("pad_token_id").asInt(0) : 0;
        }

        private static long value(String input, Text text, int token) {
            return switch (input) {
                case "input_ids" -> text.ids()[token];
                case "attention_mask" -> 1;
                case "token_type_ids" -> text.types().length == 0 ? 0 : text.types()[token];
                default -> throw new AssertionError("unexpected input " + input);
            };
        }

        private static Text text(JsonNode json) {
            return new Text(ints(json.path("ids")), ints(json.path("token_type_ids")));
        }

        private static int[] ints(JsonNode array) {
            return array.valueStream().mapToInt(JsonNode::asInt).toArray();
        }
    }
}
