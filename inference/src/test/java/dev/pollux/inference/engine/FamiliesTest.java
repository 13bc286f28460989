package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that do not hold what their architecture asks for. */
class FamiliesTest {

    @TempDir
    Path temp;

    @Test
    void anUnknownArchitectureIsToldTheNearestAndAllThereAre() throws IOException {
        List<String> all = DecoderExport.architectures();
        try (Checkpoint checkpoint = Checkpoint.open(llamaThatSays("Qwen3ForCausaLM"))) {
            assertThatThrownBy(() -> DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageStartingWith(
                            temp.resolve("model/config.json") + ": the architecture 'Qwen3ForCausaLM' is not supported;"
                                    + " the nearest that is, is Qwen3ForCausalLM, of [" + all.get(0) + ", ")
                    .hasMessageEndingWith(", " + all.get(all.size() - 1) + "]");
        }
    }

    @Test
    void aMissingTensorIsNamedBeforeAnythingIsWritten() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(llamaThatSays("Qwen3ForCausalLM"))) {
            Path target = temp.resolve("exports/target");
            assertThatThrownBy(() -> DecoderExport.export(checkpoint, target, ExportOptions.DEFAULTS)
                            .run())
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "The checkpoint has no tensor model.layers.0.self_attn.k_norm.weight; it is incomplete");
            assertThat(target.getParent()).doesNotExist();
        }
    }

    @Test
    void aSurplusTensorIsNamed() throws IOException {
        Path model = llamaThatSays("MistralForCausalLM");
        Path config = model.resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replace("\"num_hidden_layers\":2", "\"num_hidden_layers\":1"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThatThrownBy(() -> DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(
                            "The tensor model.layers.1.input_layernorm.weight does not belong to MistralForCausalLM,"
                                    + " nor do 8 others; the model is of another kind than it says");
        }
    }

    @Test
    void rotaryTablesOfAnySizeAreRefusedByTheirError() throws IOException {
        Path model = llamaThatSays("MistralForCausalLM");
        Path config = model.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceAll("\"head_dim\":\\d+", "\"head_dim\":4096")
                        .replaceAll("\"max_position_embeddings\":\\d+", "\"max_position_embeddings\":1048576"));
        ExportOptions options = ExportOptions.builder().maxContext(1 << 20).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThatThrownBy(() -> DecoderExport.preview(checkpoint, options))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(config + ": rotary tables of 1048576 positions and 2048 frequencies are larger than"
                            + " 268435456 numbers; lower maxContext of the export");
        }
    }

    @Test
    void longRopeIsKnownByItsFormerName() throws IOException {
        long[] bytes = new long[2];
        for (int i = 0; i < 2; i++) {
            String rope = "{\"type\":\"" + (i == 0 ? "longrope" : "su") + "\",\"short_factor\":[1,1,1,1],"
                    + "\"long_factor\":[2,2,2,2],\"original_max_position_embeddings\":8}";
            Path model = llamaThatSays("LlamaForCausalLM");
            Path config = model.resolve("config.json");
            String written = Files.readString(config);
            Files.writeString(
                    config, written.replaceAll("\"(rope_parameters|rope_scaling)\":\\{[^}]*}", "\"$1\":" + rope));
            assertThat(Files.readString(config)).isNotEqualTo(written);
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                bytes[i] = DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS)
                        .bytes();
            }
        }
        assertThat(bytes[1]).isEqualTo(bytes[0]);
    }

    private Path llamaThatSays(String architecture) throws IOException {
        Path model = temp.resolve("model");
        TinyLlama.Shape shape = new TinyLlama.Shape(4, 2, 8, false, true, "{\"rope_type\": \"default\"}");
        new TinyLlama(shape, 1, new double[4], 1).write(model);
        Path config = model.resolve("config.json");
        String written = Files.readString(config).replaceAll("\\s", "");
        Files.writeString(config, written.replace("LlamaForCausalLM", architecture));
        return model;
    }
}
