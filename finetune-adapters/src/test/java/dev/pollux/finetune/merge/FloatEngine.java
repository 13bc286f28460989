package dev.pollux.finetune.merge;

import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Runs models with the weights that they have. */
final class FloatEngine {

    private FloatEngine() {}

    /** @param temp where the exported graph may lie */
    static OnnxGenerator open(Path model, Path temp) {
        return OnnxGenerator.open(
                model,
                EngineOptions.builder()
                        .threads(1)
                        .cache(temp.resolve("cache"))
                        .export(ExportOptions.builder()
                                .weights(WeightFormat.FLOAT)
                                .build())
                        .build());
    }

    /** The logits after the last of {@code ids}. */
    static float[] logits(Path model, Path temp, int... ids) {
        try (OnnxGenerator generator = open(model, temp);
                DecoderSequence sequence = generator.model().sequence()) {
            return values(sequence.append(ids));
        }
    }

    static float[] values(FloatBuffer logits) {
        float[] values = new float[logits.remaining()];
        logits.get(values);
        return values;
    }
}
