package dev.pollux.inference.engine;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model that walks a chain: a Llama of one layer that adds nothing, so that each token decides the next. It has a token for
 * each letter and some signs, and the special tokens it is made with, the last of which ends a text.
 */
final class ChainModel {

    private static final int WIDTH = 64; // of the stream, and the number of tokens
    private static final int HEAD = 16;
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyzHP.<>/|";

    private final List<String> tokens = new ArrayList<>();
    private final List<String> specials;
    private final float[] head = new float[WIDTH * WIDTH]; // (tokens, width)

    /** @param chain what is written, token by token; no token twice */
    ChainModel(List<String> specials, List<String> chain) {
        this.specials = specials;
        LETTERS.codePoints().forEach(letter -> tokens.add(Character.toString(letter)));
        tokens.addAll(specials);
        for (int i = 1; i < chain.size(); i++) {
            head[tokens.indexOf(chain.get(i)) * WIDTH + tokens.indexOf(chain.get(i - 1))] = 1;
        }
    }

    /** Writes it as a Hugging Face folder. */
    Path write(Path folder, String template) {
        Map<String, float[]> weights = new LinkedHashMap<>();
        Map<String, int[]> shapes = new LinkedHashMap<>();
        float[] identity = new float[WIDTH * WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            identity[i * WIDTH + i] = 1;
        }
        float[] ones = new float[WIDTH];
        java.util.Arrays.fill(ones, 1);
        String layer = "model.layers.0.";
        add(weights, shapes, "model.embed_tokens", identity, WIDTH, WIDTH);
        add(weights, shapes, "lm_head", head, WIDTH, WIDTH);
        add(weights, shapes, "model.norm", ones, WIDTH);
        add(weights, shapes, layer + "input_layernorm", ones, WIDTH);
        add(weights, shapes, layer + "post_attention_layernorm", ones, WIDTH);
        for (String name : List.of("q", "k", "v")) {
            add(weights, shapes, layer + "self_attn." + name + "_proj", new float[HEAD * WIDTH], HEAD, WIDTH);
        }
        add(weights, shapes, layer + "self_attn.o_proj", new float[WIDTH * HEAD], WIDTH, HEAD);
        add(weights, shapes, layer + "mlp.gate_proj", new float[HEAD * WIDTH], HEAD, WIDTH);
        add(weights, shapes, layer + "mlp.up_proj", new float[HEAD * WIDTH], HEAD, WIDTH);
        add(weights, shapes, layer + "mlp.down_proj", new float[WIDTH * HEAD], WIDTH, HEAD);
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve("model.safetensors"), safetensors(weights, shapes));
            Files.writeString(folder.resolve("config.json"), config());
            Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
            ObjectNode settings = new ObjectNode().put("chat_template", template);
            Files.writeString(folder.resolve("tokenizer_config.json"), settings.toString());
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void add(
            Map<String, float[]> weights, Map<String, int[]> shapes, String name, float[] values, int... shape) {
        weights.put(name + ".weight", values);
        shapes.put(name + ".weight", shape);
    }

    private static byte[] safetensors(Map<String, float[]> weights, Map<String, int[]> shapes) {
        ObjectNode header = new ObjectNode();
        int offset = 0;
        for (String name : weights.keySet()) {
            ObjectNode tensor = header.putObject(name).put("dtype", "F32");
            ArrayNode shape = tensor.putArray("shape");
            java.util.Arrays.stream(shapes.get(name)).forEach(shape::add);
            int end = offset + weights.get(name).length * Float.BYTES;
            tensor.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + offset).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        weights.values().forEach(values -> {
            for (float value : values) {
                file.putFloat(value);
            }
        });
        return file.array();
    }

    private String config() {
        return """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "num_hidden_layers": 1,
                 "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": %d, "intermediate_size": %d,
                 "vocab_size": %d, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "hidden_act": "silu",
                 "tie_word_embeddings": false, "eos_token_id": %d}
                """.formatted(WIDTH, HEAD, HEAD, WIDTH, tokens.size() - 1);
    }

    private String tokenizer() {
        ObjectNode root = new ObjectNode().put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        for (String special : specials) {
            added.addObject()
                    .put("id", tokens.indexOf(special))
                    .put("content", special)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putObject("decoder").put("type", "Fuse");
        ObjectNode model = root.putObject("model").put("type", "BPE");
        model.putArray("merges");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        return root.toString();
    }
}
