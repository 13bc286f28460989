package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters over small matrices, calculated by hand: W is 2 × 3 of 1 … 6. */
@NoLeaks
class AdapterFormsTest {

    private static final String MODULE = "model.layers.0.self_attn.q_proj";
    private static final String PEFT = "base_model.model." + MODULE;

    @TempDir
    Path temp;

    private void model(float[] matrix, long rows, long columns) throws IOException {
        Path folder = Files.createDirectories(temp.resolve("base"));
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.tensor(MODULE + ".weight", DType.F32, bytes(matrix), rows, columns);
        file.tensor(MODULE + ".bias", DType.F32, bytes(10, 20), 2);
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
    }

    private void adapter(String more, SafetensorsBuilder file) throws IOException {
        Path folder = Files.createDirectories(temp.resolve("adapter"));
        file.tensor(PEFT + ".lora_A.weight", DType.F32, bytes(1, 0, 1), 1, 3);
        file.tensor(PEFT + ".lora_B.weight", DType.F32, bytes(1, 2), 2, 1);
        Files.write(folder.resolve("adapter_model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 2" + more + "}");
    }

    private static byte[] bytes(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private float[] read(String tensor) {
        try (InputModel model = InputModel.open(ModelReference.parse("base+adapter"), temp)) {
            TensorSource source = model.tensor(tensor).orElseThrow();
            float[] values = new float[(int) source.elements()];
            TensorSource ready = source.ready();
            for (int i = 0; i < values.length; i++) {
                ready.read(i, 1, values, i);
            }
            return values;
        }
    }

    @Test
    void rowsOfADoraAdapterHaveTheLengthsOfItsMagnitudes() throws IOException {
        model(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        adapter(
                ", \"use_dora\": true",
                new SafetensorsBuilder().tensor(PEFT + ".lora_magnitude_vector", DType.F32, bytes(1, 10), 2));
        // V = W + 2·B·A = [3 2 5; 8 5 10]
        double first = Math.sqrt(9 + 4 + 25);
        double second = Math.sqrt(64 + 25 + 100);
        assertThat(read(MODULE + ".weight"))
                .containsExactly(
                        new float[] {
                            (float) (3 / first),
                            (float) (2 / first),
                            (float) (5 / first),
                            (float) (80 / second),
                            (float) (50 / second),
                            (float) (100 / second)
                        },
                        within(1e-6f));
    }

    @Test
    void theNewerNameOfMagnitudesIsReadToo() throws IOException {
        model(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        adapter(
                ", \"use_dora\": true",
                new SafetensorsBuilder().tensor(PEFT + ".lora_magnitude_vector.weight", DType.F32, bytes(0, 0), 2));
        assertThat(read(MODULE + ".weight")).containsOnly(0f);
    }

    @Test
    void matricesStoredTheOtherWayHaveLengthsByColumn() throws IOException {
        model(new float[] {1, 4, 2, 5, 3, 6}, 3, 2);
        adapter(
                ", \"use_dora\": true, \"fan_in_fan_out\": true",
                new SafetensorsBuilder().tensor(PEFT + ".lora_magnitude_vector", DType.F32, bytes(1, 10), 2));
        double first = Math.sqrt(9 + 4 + 25);
        double second = Math.sqrt(64 + 25 + 100);
        assertThat(read(MODULE + ".weight"))
                .containsExactly(
                        new float[] {
                            (float) (3 / first),
                            (float) (80 / second),
                            (float) (2 / first),
                            (float) (50 / second),
                            (float) (5 / first),
                            (float) (100 / second)
                        },
                        within(1e-6f));
    }

    @Test
    void whatAnAdapterAddsToABiasIsScaledToo() throws IOException {
        model(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        adapter(
                ", \"lora_bias\": true",
                new SafetensorsBuilder().tensor(PEFT + ".lora_B.bias", DType.F32, bytes(1, -1), 2));
        assertThat(read(MODULE + ".bias")).containsExactly(12, 18);
        assertThat(read(MODULE + ".weight")).containsExactly(3, 2, 5, 8, 5, 10);
    }

    @Test
    void aDoraAdapterWithoutMagnitudesIsRefused() throws IOException {
        model(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        adapter(", \"use_dora\": true", new SafetensorsBuilder());
        assertThatThrownBy(() -> read(MODULE + ".weight"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + temp.resolve("adapter") + " uses DoRA but has no magnitude vector for "
                        + MODULE + ".weight; download it again");
    }

    @Test
    void embeddingsHaveLengthsByColumnAndLieOverWhatTheAdapterHoldsOfThem() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("base"));
        String name = "model.embed_tokens";
        Files.write(
                folder.resolve("model.safetensors"),
                new SafetensorsBuilder()
                        .tensor(name + ".weight", DType.F32, bytes(9, 9, 9, 9, 9, 9), 3, 2)
                        .toBytes());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("base_model.model." + name + ".base_layer.weight", DType.F32, bytes(1, 4, 2, 5, 3, 6), 3, 2)
                .tensor("base_model.model." + name + ".lora_embedding_A", DType.F32, bytes(1, 0, 1), 1, 3)
                .tensor("base_model.model." + name + ".lora_embedding_B", DType.F32, bytes(1, 2), 2, 1)
                .tensor("base_model.model." + name + ".lora_magnitude_vector", DType.F32, bytes(1, 10), 2);
        Path adapter = Files.createDirectories(temp.resolve("adapter"));
        Files.write(adapter.resolve("adapter_model.safetensors"), file.toBytes());
        Files.writeString(
                adapter.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 2, \"use_dora\": true}");
        double first = Math.sqrt(9 + 4 + 25);
        double second = Math.sqrt(64 + 25 + 100);
        assertThat(read(name + ".weight"))
                .containsExactly(
                        new float[] {
                            (float) (3 / first),
                            (float) (80 / second),
                            (float) (2 / first),
                            (float) (50 / second),
                            (float) (5 / first),
                            (float) (100 / second)
                        },
                        within(1e-6f));
    }

    @Test
    void magnitudesOfAnotherLengthAreRefused() throws IOException {
        model(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        adapter(
                ", \"use_dora\": true",
                new SafetensorsBuilder().tensor(PEFT + ".lora_magnitude_vector", DType.F32, bytes(1, 2, 3), 3));
        assertThatThrownBy(() -> read(MODULE + ".weight"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + temp.resolve("adapter") + ": " + PEFT
                        + ".lora_magnitude_vector must hold 2 floats but is F32 [3]; download it again");
    }

    /** Rows of q lie in neighbouring pairs there: 0, 2, 1, 3 of a head of four. */
    @Test
    void anAdapterInAGgufFileLiesOverTheRowsOfItsModel() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("base"));
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.tensor(MODULE + ".weight", DType.F32, bytes(new float[8]), 4, 2);
        file.tensor("model.embed_tokens.weight", DType.F32, bytes(new float[6]), 3, 2);
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("config.json"),
                "{\"model_type\": \"llama\", \"hidden_size\": 4, \"num_attention_heads\": 1}");
        new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 2f)
                .floats("blk.0.attn_q.weight.lora_a", new float[] {1, 10}, 1, 2)
                .floats("blk.0.attn_q.weight.lora_b", new float[] {1, 3, 2, 4}, 4, 1)
                .floats("token_embd.weight.lora_a", new float[] {1, 2, 3}, 3, 1)
                .floats("token_embd.weight.lora_b", new float[] {1, 10}, 2, 1)
                .write(temp.resolve("adapter"));

        assertThat(read(MODULE + ".weight")).containsExactly(2, 20, 4, 40, 6, 60, 8, 80);
        assertThat(read("model.embed_tokens.weight")).containsExactly(2, 20, 4, 40, 6, 60);

        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
        assertThatThrownBy(() -> read(MODULE + ".weight"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("must have head_dim, or hidden_size and num_attention_heads");
    }
}
