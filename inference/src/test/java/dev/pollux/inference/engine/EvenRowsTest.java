package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps of an even number of tokens give the bits of a single reading, whatever their sizes, and whatever was taken back. */
@NoLeaks
class EvenRowsTest {

    private static final String MODEL = "smollm2-135m-instruct";

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    @ParameterizedTest
    @EnumSource(
            value = WeightFormat.class,
            names = {"BITS_8", "BITS_4"})
    void theSizesOfStepsDoNotChangeTheLogits(WeightFormat format) {
        ExportOptions export =
                ExportOptions.builder().weights(format).blockSize(16).build();
        EngineOptions options =
                EngineOptions.builder().threads(1).cache(temp).export(export).build();
        try (DecoderModel model = DecoderModel.open(TinyDecoders.llama(temp, options), options)) {
            for (int round = 0; round < 20; round++) {
                check(
                        model,
                        random.ints(2 + random.nextInt(90), 0, TinyLlama.VOCABULARY)
                                .toArray());
            }
        }
    }

    @Test
    void theSizesOfStepsDoNotChangeTheLogitsOfARealModel() throws IOException {
        JsonNode cases =
                JsonNode.parse(Files.readString(ReferenceData.golden(MODEL).resolve("cases.json")));
        Path file = ReferenceData.model(MODEL).resolve(cases.path("model").asString());
        try (OnnxGenerator generator = OnnxGenerator.open(file)) {
            for (JsonNode one : cases.path("cases")) {
                int[] ids =
                        one.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray();
                check(generator.model(), Arrays.copyOf(ids, Math.min(ids.length, 120)));
            }
        }
    }

    /** Reads some tokens in one step, and again in steps of all sizes, with wrong tokens that are taken back. */
    private void check(DecoderModel model, int[] ids) {
        float[][] due = new float[ids.length][];
        float[][] actual = new float[ids.length][];
        try (DecoderSequence whole = model.sequence()) {
            assumeTrue(whole.isEven(), "the rule of even rows does not hold on this machine");
            whole.append(ids, (position, logits) -> due[position] = TinyDecoders.copy(logits));
        }
        try (DecoderSequence parts = model.sequence()) {
            parts.truncate(0);
            parts.pair(true);
            while (parts.length() < ids.length) {
                int from = parts.length();
                int count = Math.min(1 + random.nextInt(8), ids.length - from);
                int[] step = Arrays.copyOfRange(ids, from, from + count);
                int wrong = random.nextInt(count + 1);
                for (int i = wrong; i < count; i++) {
                    step[i] = random.nextInt(model.manifest().vocabularySize());
                }
                parts.append(step, (position, logits) -> {
                    if (position < from + wrong) {
                        actual[position] = TinyDecoders.copy(logits);
                    }
                });
                parts.truncate(from + wrong);
            }
        }
        for (int i = 0; i < ids.length; i++) {
            assertThat(Arrays.equals(actual[i], due[i]))
                    .as("seed %d, row %d of %d", seed, i, ids.length)
                    .isTrue();
        }
    }

    @Test
    void theAnswerIsKeptInTheCacheAndADamagedOneIsFoundAgain() throws IOException {
        EngineOptions options = EngineOptions.builder().threads(1).cache(temp).build();
        Path export = TinyDecoders.llama(temp, options);
        boolean answer = even(export, options);
        Path memo;
        try (Stream<Path> files = Files.list(temp.resolve("rows"))) {
            memo = files.findFirst().orElseThrow();
        }
        String kept = Files.readString(memo);
        Files.writeString(memo, "neither");
        assertThat(even(export, options)).isEqualTo(answer);
        assertThat(Files.readString(memo)).isEqualTo(kept);
        Files.writeString(memo, "no rule");
        assertThat(even(export, options)).isFalse();
    }

    private static boolean even(Path export, EngineOptions options) {
        try (DecoderModel model = DecoderModel.open(export, options);
                DecoderSequence sequence = model.sequence()) {
            return sequence.isEven();
        }
    }
}
