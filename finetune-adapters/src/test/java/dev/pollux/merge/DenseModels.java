package dev.pollux.merge;

import dev.pollux.tensor.DType;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Small dense decoders of random numbers that run: two layers, width 32, heads of 16, and a tokenizer of given folders. */
final class DenseModels {

    static final int WIDTH = 32;
    private static final int HEAD = 16;
    private static final int INNER = 48;
    private static final int LAYERS = 2;

    private DenseModels() {}

    /** Writes a model of class {@code architecture}; its vocabulary and tokenizer are those of the folder {@code tokens}. */
    static Path write(Path folder, String architecture, String type, long seed, Path tokens) throws IOException {
        Random random = new Random(seed);
        int vocabulary = JsonFiles.read(tokens.resolve("config.json"))
                .orElseThrow()
                .path("vocab_size")
                .asInt();
        SafetensorsBuilder file = new SafetensorsBuilder();
        put(file, random, "model.embed_tokens", vocabulary, WIDTH);
        put(file, random, "lm_head", vocabulary, WIDTH);
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "model.layers." + layer + ".";
            norm(file, random, at + "input_layernorm", WIDTH);
            norm(file, random, at + "post_attention_layernorm", WIDTH);
            for (String name : new String[] {"q_proj", "k_proj", "v_proj"}) {
                int rows = name.equals("q_proj") ? 2 * HEAD : HEAD;
                put(file, random, at + "self_attn." + name, rows, WIDTH);
                if (type.equals("qwen2")) {
                    file.tensor(at + "self_attn." + name + ".bias", DType.F32, values(random, rows, 0.1, 0), rows);
                }
            }
            if (type.equals("qwen3")) {
                norm(file, random, at + "self_attn.q_norm", HEAD);
                norm(file, random, at + "self_attn.k_norm", HEAD);
            }
            put(file, random, at + "self_attn.o_proj", WIDTH, 2 * HEAD);
            put(file, random, at + "mlp.gate_proj", INNER, WIDTH);
            put(file, random, at + "mlp.up_proj", INNER, WIDTH);
            put(file, random, at + "mlp.down_proj", WIDTH, INNER);
        }
        norm(file, random, "model.norm", WIDTH);
        Files.createDirectories(folder);
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["%s"], "model_type": "%s", "hidden_size": %d, "head_dim": %d,
                 "intermediate_size": %d, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": %d,
                 "vocab_size": %d, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "hidden_act": "silu", "tie_word_embeddings": false, "eos_token_id": 1, "torch_dtype": "float32"}
                """.formatted(
                        architecture, type, WIDTH, HEAD, INNER, LAYERS, vocabulary));
        for (String name : new String[] {"tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(tokens.resolve(name), folder.resolve(name));
        }
        return folder;
    }

    private static void put(SafetensorsBuilder file, Random random, String module, int rows, int columns) {
        file.tensor(module + ".weight", DType.F32, values(random, rows * columns, 0.3, 0), rows, columns);
    }

    private static void norm(SafetensorsBuilder file, Random random, String module, int width) {
        file.tensor(module + ".weight", DType.F32, values(random, width, 0.1, 1), width);
    }

    private static byte[] values(Random random, int count, double deviation, double mean) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putFloat((float) (mean + deviation * random.nextGaussian()));
        }
        return bytes.array();
    }
}
