package dev.pollux.finetune.merge;

import dev.pollux.testkit.SafetensorsBuilder;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** Writes an LFM2 of random numbers: a layer with a convolution, and one with attention. */
final class TinyLfm2 {

    static final int WIDTH = 32;
    static final int INNER = 40;

    private final SafetensorsBuilder file = new SafetensorsBuilder();
    private final Random random = new Random(5);

    private TinyLfm2() {}

    static Path write(Path folder) throws IOException {
        TinyLfm2 model = new TinyLfm2();
        model.matrix("embed_tokens", TinyDecoder.VOCABULARY, WIDTH);
        model.norm("embedding_norm", WIDTH);
        for (int layer = 0; layer < 2; layer++) {
            String at = "layers." + layer + ".";
            model.norm(at + "operator_norm", WIDTH);
            model.norm(at + "ffn_norm", WIDTH);
            model.matrix(at + "feed_forward.w1", INNER, WIDTH);
            model.matrix(at + "feed_forward.w3", INNER, WIDTH);
            model.matrix(at + "feed_forward.w2", WIDTH, INNER);
        }
        model.matrix("layers.0.conv.in_proj", 3 * WIDTH, WIDTH);
        model.matrix("layers.0.conv.conv", WIDTH, 1, 3);
        model.matrix("layers.0.conv.out_proj", WIDTH, WIDTH);
        model.matrix("layers.1.self_attn.q_proj", WIDTH, WIDTH);
        model.matrix("layers.1.self_attn.k_proj", WIDTH / 2, WIDTH);
        model.matrix("layers.1.self_attn.v_proj", WIDTH / 2, WIDTH);
        model.matrix("layers.1.self_attn.out_proj", WIDTH, WIDTH);
        model.norm("layers.1.self_attn.q_layernorm", WIDTH / 2);
        model.norm("layers.1.self_attn.k_layernorm", WIDTH / 2);
        Files.createDirectories(folder);
        model.file.write(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["Lfm2ForCausalLM"], "model_type": "lfm2", "hidden_size": 32, "intermediate_size": 60,
                 "block_auto_adjust_ff_dim": true, "block_multiple_of": 8, "block_ffn_dim_multiplier": 1.0,
                 "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 2, "vocab_size": %d,
                 "max_position_embeddings": 64, "norm_eps": 1e-5, "rope_theta": 10000.0, "conv_L_cache": 3,
                 "conv_bias": false, "layer_types": ["conv", "full_attention"], "tie_word_embeddings": true,
                 "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32"}
                """.formatted(TinyDecoder.VOCABULARY));
        TinyDecoder.writeTokenizer(folder);
        return folder;
    }

    private void matrix(String name, long... shape) {
        put(name, 0, 0.3, shape);
    }

    private void norm(String name, long width) {
        put(name, 1, 0.1, width);
    }

    private void put(String name, double mean, double deviation, long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        file.floats("model." + name + ".weight", values, shape);
    }
}
