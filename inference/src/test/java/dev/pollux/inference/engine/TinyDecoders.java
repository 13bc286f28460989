package dev.pollux.inference.engine;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.job.JobContext;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Decoders of random weights, small enough that a property test runs thousands of their steps. */
final class TinyDecoders {

    static final int CONTEXT = 128;

    private TinyDecoders() {}

    /** A Llama of two layers, exported below {@code folder}: the path of the export. */
    static Path llama(Path folder, EngineOptions options) {
        Path checkpoint = folder.resolve("llama");
        TinyLlama.Shape shape = new TinyLlama.Shape(4, 2, 8, false, true, "{\"rope_type\": \"default\"}");
        new TinyLlama(shape, 7, new double[4], 1).write(checkpoint);
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            return DecoderExport.cached(open, options.export(), options.cache(), JobContext.NONE);
        }
    }

    /** A copy of logits, which are valid until the next step only. */
    static float[] copy(FloatBuffer logits) {
        float[] values = new float[logits.remaining()];
        logits.get(logits.position(), values);
        return values;
    }
}
