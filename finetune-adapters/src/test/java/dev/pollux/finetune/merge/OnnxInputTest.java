package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.merging.MergePlan;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ONNX models as inputs: what comes of two graphs is the graph of what comes of their checkpoints. */
@NoLeaks
class OnnxInputTest {

    private static final int[] IDS = {0, 139, 156, 132, 113};

    @TempDir
    Path temp;

    @BeforeEach
    void write() throws IOException {
        for (int seed = 1; seed <= 3; seed++) {
            TinyDecoder.llama(seed).write(temp.resolve("m" + seed));
        }
    }

    private Path export(String name, WeightFormat weights) {
        Path target = temp.resolve(name + "-onnx");
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve(name))) {
            DecoderExport.export(
                            checkpoint,
                            target,
                            ExportOptions.builder().weights(weights).build())
                    .run();
        }
        return target;
    }

    private static MergePlan plan(String suffix, String method) {
        return MergekitYaml.parse("""
            models:
              - model: m2%s
                parameters: {weight: 0.7, density: 0.5}
              - model: m3%s
                parameters: {weight: 0.6, density: 0.5}
            base_model: m1%s
            merge_method: %s
            """.formatted(suffix, suffix, suffix, method));
    }

    @Test
    void mergingGraphsIsMergingTheirCheckpoints() {
        for (String name : new String[] {"m1", "m2", "m3"}) {
            export(name, WeightFormat.FLOAT);
        }
        CheckpointMerger merger = CheckpointMerger.in(temp);

        merger.merge(plan("", "task_arithmetic"), temp.resolve("merged")).run();
        merger.merge(plan("-onnx", "task_arithmetic"), temp.resolve("merged-onnx"))
                .run();

        assertThat(temp.resolve("merged-onnx")).isDirectoryContaining("glob:**/model.onnx");
        assertThat(temp.resolve("merged-onnx").resolve("model.onnx.data")).isRegularFile();
        assertThat(temp.resolve("merged-onnx").resolve("model.safetensors")).doesNotExist();
        assertThat(logits(temp.resolve("merged-onnx"))).containsExactly(logits(temp.resolve("merged")), within(1e-3f));
    }

    private float[] logits(Path model) {
        return FloatEngine.logits(model, temp, IDS);
    }

    @Test
    void graphsThatDifferAreRefused() throws IOException {
        export("m1", WeightFormat.FLOAT);
        export("m2", WeightFormat.FLOAT);
        Path wide = TinyDecoder.of("Qwen3ForCausalLM", "qwen3", 5).write(temp.resolve("q"));
        Files.move(wide, temp.resolve("m3x"));
        Files.move(temp.resolve("m3"), temp.resolve("gone"));
        Files.move(temp.resolve("m3x"), temp.resolve("m3"));
        export("m3", WeightFormat.FLOAT);

        assertThat(CheckpointMerger.in(temp).plan(plan("-onnx", "ties")).errors())
                .first()
                .asString()
                .startsWith("the graphs of m2-onnx and m3-onnx differ: ")
                .endsWith("; only models of equal graph can be merged");
    }

    @Test
    void quantizedWeightsAreRefused() {
        for (String name : new String[] {"m1", "m2", "m3"}) {
            export(name, WeightFormat.BITS_8);
        }
        assertThat(CheckpointMerger.in(temp).plan(plan("-onnx", "ties")).errors())
                .singleElement()
                .asString()
                .endsWith(
                        " differs between the models and is not a float tensor; merge models before they are quantized");
    }

    @Test
    void aGraphAndACheckpointDoNotMix() {
        export("m1", WeightFormat.FLOAT);
        MergePlan plan = MergekitYaml.parse("""
            models: [{model: m2, parameters: {weight: 1}}, {model: m1-onnx, parameters: {weight: 1}}]
            merge_method: linear
            """);
        assertThat(CheckpointMerger.in(temp).plan(plan).errors())
                .contains("the plan mixes ONNX models and others; all must be ONNX models of one graph, or none");
    }
}
