package dev.pollux.inference.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters as GGUF files. */
@NoLeaks
class GgufAdapterExportTest {

    private static final List<String> PROJECTIONS =
            List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj");

    @TempDir
    Path temp;

    private static float[] values(TensorSource source) {
        float[] values = new float[(int) source.elements()];
        source.ready().read(0, values.length, values, 0);
        return values;
    }

    private void export(Path adapter, Path target) {
        try (LoraAdapter read = LoraAdapter.load(adapter);
                Checkpoint base = Checkpoint.open(temp.resolve("model"))) {
            GgufAdapterExport.write(read, base, GgufType.F32, target);
        }
    }

    @Test
    void whatIsReadBackIsTheAdapter() {
        TinyDecoder model = TinyDecoder.llama(1);
        model.write(temp.resolve("model"));
        Path adapter = model.writeAdapter(temp.resolve("adapter"), 4, 6, PROJECTIONS);
        Path file = temp.resolve("adapter.gguf");
        export(adapter, file);
        try (LoraAdapter expected = LoraAdapter.load(adapter);
                LoraAdapter read = LoraAdapter.load(file, TinyDecoder.HEAD)) {
            assertThat(read.targets()).hasSize(TinyDecoder.LAYERS * PROJECTIONS.size());
            for (String target : expected.targets()) {
                LowRankChange due = expected.factors(target).orElseThrow();
                String name = target.startsWith("model.") ? target : "model." + target;
                LowRankChange found =
                        read.factors(name).or(() -> read.factors(target)).orElseThrow();
                assertThat(found.scale()).isEqualTo(due.scale());
                assertThat(values(found.a())).containsExactly(values(due.a()));
                assertThat(values(found.b())).containsExactly(values(due.b()));
            }
        }
        assertThatThrownBy(() -> export(adapter, file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(file + " must not exist; choose another file or delete it");
    }

    @Test
    void factorsInHalfPrecisionAreTheNearestHalves() {
        TinyDecoder model = TinyDecoder.llama(1);
        model.write(temp.resolve("model"));
        Path adapter = model.writeAdapter(temp.resolve("adapter"), 4, 4, PROJECTIONS);
        Path file = temp.resolve("half.gguf");
        try (LoraAdapter expected = LoraAdapter.load(adapter);
                Checkpoint base = Checkpoint.open(temp.resolve("model"))) {
            GgufAdapterExport.write(expected, base, GgufType.F16, file);
            try (LoraAdapter read = LoraAdapter.load(file, TinyDecoder.HEAD)) {
                String target = expected.targets().iterator().next();
                float[] due = values(expected.factors(target).orElseThrow().a());
                float[] found = values(read.factors(target)
                        .or(() -> read.factors("model." + target))
                        .orElseThrow()
                        .a());
                for (int i = 0; i < due.length; i++) {
                    assertThat(found[i]).isEqualTo(Float16.toFloat(Float16.fromFloat(due[i])));
                }
            }
            assertThatThrownBy(() -> GgufAdapterExport.write(expected, base, GgufType.Q8_0, temp.resolve("q8.gguf")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("type must be f32, f16 or bf16 but was q8_0");
        }
    }

    @Test
    void whatTheFormatHasNoPlaceForIsRefused() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("model"));
        Path adapter = Files.createDirectories(temp.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{\"r\": 1, \"lora_alpha\": 2}");
        String module = "base_model.model.model.layers.0.self_attn.q_proj";
        SafetensorsBuilder factors = new SafetensorsBuilder()
                .floats(module + ".lora_A.weight", new float[TinyDecoder.WIDTH], 1, TinyDecoder.WIDTH)
                .floats(module + ".lora_B.weight", new float[3], 3, 1);
        Files.write(adapter.resolve("adapter_model.safetensors"), factors.toBytes());
        assertThatThrownBy(() -> export(adapter, temp.resolve("a.gguf")))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter adapter changes model.layers.0.self_attn.q_proj.weight of [3, "
                        + TinyDecoder.WIDTH + "], which is [" + TinyDecoder.WIDTH + ", " + TinyDecoder.WIDTH + "] in "
                        + temp.resolve("model") + "; give the model that it was trained on");
        factors.floats(module + ".lora_magnitude_vector", new float[3], 3);
        Files.write(adapter.resolve("adapter_model.safetensors"), factors.toBytes());
        assertThatThrownBy(() -> export(adapter, temp.resolve("a.gguf")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageStartingWith("The adapter adapter has DoRA magnitudes of ");
        assertThat(temp.resolve("a.gguf")).doesNotExist();
    }
}
