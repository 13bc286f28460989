package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model that also sees holds a language model, which is read as if it stood alone. */
@NoLeaks
class LanguageModelTest {

    private static final int[] IDS = {3, 1, 4, 1, 5, 9, 2, 6};

    @ParameterizedTest
    @CsvSource({"model.language_model., lm_head.", "language_model.model., language_model.lm_head."})
    void theLanguageModelInsideGivesWhatItGivesAlone(String prefix, String head, @TempDir Path temp)
            throws IOException {
        Path alone = temp.resolve("alone");
        TinyLlama.Shape shape = new TinyLlama.Shape(4, 2, 16, false, false, "{\"rope_type\": \"default\"}");
        new TinyLlama(shape, 5, new double[8], 1).write(alone);
        Path whole = Files.createDirectories(temp.resolve("whole"));
        String config = Files.readString(alone.resolve("config.json"))
                .replaceAll("\"architectures\"\\s*:\\s*\\[[^]]*]", "\"model_type\": \"llama\"");
        Files.writeString(
                whole.resolve("config.json"),
                "{\"architectures\": [\"SomethingForConditionalGeneration\"], \"text_config\": " + config + "}");
        SafetensorsBuilder tensors = new SafetensorsBuilder().floats("vision_tower.patch.weight", new float[4], 2, 2);
        try (SafetensorsFile file = SafetensorsFile.open(alone.resolve("model.safetensors"))) {
            file.tensors().forEach((name, info) -> {
                String renamed = name.replaceFirst("^model\\.", prefix).replaceFirst("^lm_head\\.", head);
                long[] dims = info.shape().stream().mapToLong(Long::longValue).toArray();
                tensors.floats(renamed, file.floats(name), dims);
            });
        }
        tensors.write(whole.resolve("model.safetensors"));
        assertThat(logits(whole, temp.resolve("a"))).containsExactly(logits(alone, temp.resolve("b")));
    }

    private static float[] logits(Path model, Path target) {
        ExportOptions options =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, target, options).run();
        }
        try (DecoderModel decoder = DecoderModel.open(
                        target, EngineOptions.builder().threads(1).build());
                DecoderSequence sequence = decoder.sequence()) {
            FloatBuffer last = sequence.append(IDS);
            float[] logits = new float[last.limit()];
            last.get(0, logits);
            return logits;
        }
    }
}
