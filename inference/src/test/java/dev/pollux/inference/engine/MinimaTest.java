package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportReport;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.gguf.GgufExport;
import dev.pollux.inference.gguf.GgufOptions;
import dev.pollux.inference.gguf.GgufType;
import dev.pollux.tensor.DType;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs that keep 4-bit codes and minima give the logits of the same numbers in floats, as closely as 8 bits do. */
@NoLeaks
class MinimaTest {

    /** Times the distance of matrices in 8 bits, which, too, comes from activations that are rounded to 8 bits. */
    private static final double AS_CLOSE = 1.5;

    @TempDir
    Path temp;

    @Test
    void modelsWithAndWithoutBiasesKeepTheirNumbers() {
        check(TinyDecoder.llama(1).inner(96).write(temp.resolve("llama")));
        check(TinyDecoder.of("Qwen2ForCausalLM", "qwen2", 3).inner(96).write(temp.resolve("qwen2")));
    }

    private void check(Path folder) {
        Path file = temp.resolve(folder.getFileName() + ".gguf");
        GgufOptions options = GgufOptions.builder()
                .type(GgufType.Q4_1)
                .rule(new GgufOptions.Rule("*attn_v*", DType.Q4_0))
                .build();
        GgufExport.job(folder, file, options).run();
        int[] ids = new Random(11).ints(19, 3, 40).toArray();
        float[] wanted = logits(file, WeightFormat.FLOAT, ids);
        float[] kept = logits(file, WeightFormat.BITS_4, ids);
        float[] rounded = logits(file, WeightFormat.BITS_8, ids);
        assertThat(distance(kept, wanted)).isLessThan(AS_CLOSE * distance(rounded, wanted));
    }

    private static double distance(float[] some, float[] wanted) {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < wanted.length; i++) {
            difference += Math.pow(some[i] - wanted[i], 2);
            length += Math.pow(wanted[i], 2);
        }
        return Math.sqrt(difference / length);
    }

    private float[] logits(Path file, WeightFormat format, int[] ids) {
        Path target = temp.resolve(file.getFileName() + "." + format);
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            ExportReport report = DecoderExport.export(
                            checkpoint,
                            target,
                            ExportOptions.builder()
                                    .weights(format)
                                    .blockSize(32)
                                    .build())
                    .run();
            if (format == WeightFormat.BITS_4) {
                assertThat(report.matrices().keySet()).contains("Q4_1 in 4 bits with minima");
            }
        }
        EngineOptions engine =
                EngineOptions.builder().prefillChunk(7).threads(1).build();
        try (DecoderModel model = DecoderModel.open(target, engine);
                DecoderSequence sequence = model.sequence()) {
            sequence.append(Arrays.copyOf(ids, ids.length - 2));
            sequence.append(ids[ids.length - 2]);
            FloatBuffer logits = sequence.append(ids[ids.length - 1]);
            float[] copy = new float[logits.remaining()];
            logits.get(copy);
            return copy;
        }
    }
}
