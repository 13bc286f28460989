package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportReport.StepCost;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class MachineSpeedTest {

    private static final int HIDDEN = TinyLlama.HIDDEN;
    private static final int VOCABULARY = TinyLlama.VOCABULARY;

    @TempDir
    Path temp;

    @Test
    void aStepReadsEveryMatrixOnceAndOneRowOfAnEmbedding() {
        int layer = HIDDEN * (4 + 2 + 2) * 8 + 4 * 8 * HIDDEN + 3 * 40 * HIDDEN;
        for (boolean tied : new boolean[] {true, false}) {
            Path folder = temp.resolve("tied-" + tied);
            new TinyLlama(new TinyLlama.Shape(4, 2, 8, false, tied, "null"), 3, new double[4], 1).write(folder);
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                StepCost step = DecoderExport.preview(
                                checkpoint,
                                ExportOptions.builder()
                                        .weights(WeightFormat.FLOAT)
                                        .build())
                        .step();
                int weights = 2 * layer;
                int bytes = 4 * (weights + VOCABULARY * HIDDEN);
                assertThat(step).isEqualTo(new StepCost(bytes, weights, 2 * 2 * 2 * 8 * 4, 0));
                MachineSpeed speed = new MachineSpeed(bytes * 10.0, weights * 7.0);
                assertThat(speed.decode(step)).isEqualTo(10);
                assertThat(speed.prefill(step)).isEqualTo(7);
            }
        }
    }

    @Test
    void expertsCountForTheTokensTheyRead() {
        try (Checkpoint checkpoint = Checkpoint.open(TinyDecoder.mixtral(1, 4).write(temp.resolve("mixture")))) {
            int chosen = checkpoint.settings().integer("num_experts_per_tok");
            int experts = checkpoint.settings().integer("num_local_experts");
            long all = checkpoint.tensors().tensors().values().stream()
                    .filter(info -> info.name().contains(".experts."))
                    .mapToLong(info -> info.elements())
                    .sum();
            long others = checkpoint.tensors().tensors().values().stream()
                    .filter(info -> info.shape().size() == 2 && !info.name().contains(".experts."))
                    .filter(info -> !info.name().contains("embed_tokens"))
                    .filter(info -> !info.name().equals("lm_head.weight"))
                    .mapToLong(info -> info.elements())
                    .sum();
            StepCost step =
                    DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS).step();
            assertThat((double) step.weights()).isCloseTo(others + (double) all * chosen / experts, within(1.0));
        }
    }

    @Test
    void aMachineReadsMatricesAndMultipliesThem() {
        MachineSpeed speed = MachineSpeed.measure(EngineOptions.DEFAULTS);
        assertThat(speed.bytesPerSecond()).isGreaterThan(1e6);
        assertThat(speed.weightsPerSecond()).isGreaterThan(1e6);
    }
}
