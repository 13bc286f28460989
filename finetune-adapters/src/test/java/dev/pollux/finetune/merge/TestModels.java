package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Small models of random numbers. */
final class TestModels {

    static final int HIDDEN = 64;

    private TestModels() {}

    /** A model in bfloat16 with {@code layers} layers of one matrix of {@code rows} rows, and an embedding. */
    static Path write(Path folder, long seed, int layers, int rows) throws IOException {
        Random random = new Random(seed);
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.tensor("model.embed_tokens.weight", DType.BF16, halves(random, 100 * HIDDEN), 100, HIDDEN);
        for (int layer = 0; layer < layers; layer++) {
            String name = "model.layers." + layer + ".mlp.up_proj.weight";
            file.tensor(name, DType.BF16, halves(random, rows * HIDDEN), rows, HIDDEN);
            file.tensor("model.layers." + layer + ".norm.weight", DType.BF16, halves(random, HIDDEN), HIDDEN);
        }
        file.tensor("model.norm.weight", DType.BF16, halves(random, HIDDEN), HIDDEN);
        Files.createDirectories(folder);
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("config.json"),
                "{\"model_type\": \"llama\", \"num_hidden_layers\": " + layers
                        + ", \"vocab_size\": 100, \"tie_word_embeddings\": true, \"torch_dtype\": \"bfloat16\"}");
        return folder;
    }

    private static byte[] halves(Random random, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putShort(Float16.toBfloat16((float) random.nextGaussian() * 0.02f));
        }
        return bytes.array();
    }
}
