package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.TinyLlama.Shape;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The exported graph against the formulas, for head widths, groups, biases and rotary variants. */
class LlamaFormulaTest {

    /** Single precision against double over two layers; a wrong term moves a logit by tenths. */
    private static final double TOLERANCE = 1e-4;

    private static final String PLAIN = "{\"rope_type\": \"default\", \"rope_theta\": 10000.0}";

    static Stream<Shape> shapes() {
        return Stream.of(
                new Shape(4, 4, 8, false, true, PLAIN),
                new Shape(4, 2, 16, true, false, PLAIN),
                new Shape(2, 1, 24, true, true, PLAIN),
                new Shape(6, 3, 40, false, false, PLAIN),
                new Shape(1, 1, 64, true, false, PLAIN),
                new Shape(
                        4, 1, 16, false, true, "{\"rope_type\": \"linear\", \"rope_theta\": 500.0, \"factor\": 4.0}"));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void graphGivesWhatTheFormulasGive(Shape shape, @TempDir Path temp) {
        long seed = 7L + shape.hashCode();
        double theta = shape.rope().contains("500.0") ? 500 : 10_000;
        double factor = shape.rope().contains("linear") ? 4 : 1;
        double[] frequencies = new double[shape.headDim() / 2];
        Arrays.setAll(frequencies, i -> Math.pow(theta, -2.0 * i / shape.headDim()) / factor);
        TinyLlama llama = new TinyLlama(shape, seed, frequencies, 1);
        llama.write(temp.resolve("model"));
        compare(llama, temp, seed);
    }

    /** Training or merging parted head and embedding, and the configuration was not changed. */
    @Test
    void aStoredHeadIsUsedAlthoughTheConfigurationTiesIt(@TempDir Path temp) throws IOException {
        Shape shape = new Shape(4, 2, 8, false, false, PLAIN);
        double[] frequencies = new double[shape.headDim() / 2];
        Arrays.setAll(frequencies, i -> Math.pow(10_000, -2.0 * i / shape.headDim()));
        TinyLlama llama = new TinyLlama(shape, 5, frequencies, 1);
        Path model = temp.resolve("model");
        llama.write(model);
        Path config = model.resolve("config.json");
        String text = Files.readString(config);
        Files.writeString(config, text.replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
        assertThat(Files.readString(config)).isNotEqualTo(text);
        compare(llama, temp, 5);
    }

    private static void compare(TinyLlama llama, Path temp, long seed) {
        ExportOptions options =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("model"))) {
            DecoderExport.export(checkpoint, temp.resolve("export"), options).run();
        }
        int[] ids = new Random(seed).ints(23, 0, TinyLlama.VOCABULARY).toArray();
        EngineOptions engine =
                EngineOptions.builder().prefillChunk(5).threads(1).build();
        try (DecoderModel model = DecoderModel.open(temp.resolve("export"), engine);
                DecoderSequence sequence = model.sequence()) {
            FloatBuffer actual = sequence.append(ids);
            double[] due = llama.logits(ids);
            for (int i = 0; i < due.length; i++) {
                assertThat((double) actual.get(i))
                        .as("seed %d, logit %d", seed, i)
                        .isCloseTo(due[i], within(TOLERANCE));
            }
        }
    }
}
