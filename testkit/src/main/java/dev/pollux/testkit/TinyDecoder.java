package dev.pollux.testkit;

import dev.pollux.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * Writes small decoders of random numbers that run, as Hugging Face folders: two layers of width 32 with two heads of 16,
 * one of which is for keys and values, and a tokenizer of 260 tokens, which knows every text.
 *
 * <p>The tokenizer has a token for each byte, and {@code <unk>} 0, {@code <s>} 1, {@code </s>} 2 and {@code <pad>} 3 before
 * them. The same class and seed give the same numbers, so that two calls can make a model and its copy, and {@link #tuned} one
 * that was trained further. <em>Not thread-safe: one thread at a time.</em>
 */
public final class TinyDecoder {

    /** Width of the residual stream. */
    public static final int WIDTH = 32;
    /** Width of a head. */
    public static final int HEAD = 16;
    /** Width inside the MLP, unless {@link #inner} says another. */
    public static final int INNER = 48;
    /** Number of layers. */
    public static final int LAYERS = 2;
    /** Number of tokens. */
    public static final int VOCABULARY = 260;

    /** The query, key, value and output projections and the three of the MLP, as adapters name them. */
    public static final List<String> PROJECTIONS = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");

    private static final int SPECIAL = 4;

    private final String architecture;
    private final String type;
    private final long seed;
    private long tuning;
    private double change;
    private int inner = INNER;
    private int experts;

    private TinyDecoder(String architecture, String type, long seed) {
        this.architecture = architecture;
        this.type = type;
        this.seed = seed;
    }

    /** A {@code LlamaForCausalLM}. */
    public static TinyDecoder llama(long seed) {
        return of("LlamaForCausalLM", "llama", seed);
    }

    /**
     * A model of another class with Llama's layout: Mistral; Qwen 2, which has biases of queries, keys and values; Qwen 3,
     * which norms queries and keys.
     *
     * @param architecture the class that its configuration names
     * @param type the type that its configuration names
     */
    public static TinyDecoder of(String architecture, String type, long seed) {
        return new TinyDecoder(architecture, type, seed);
    }

    /** A {@code MixtralForCausalLM} that runs two of its experts for each token. */
    public static TinyDecoder mixtral(long seed, int experts) {
        TinyDecoder made = of("MixtralForCausalLM", "mixtral", seed);
        made.experts = experts;
        return made;
    }

    /** Adds normal numbers of the deviation {@code change} to every weight, drawn by {@code tuning}. */
    public TinyDecoder tuned(long tuning, double change) {
        this.tuning = tuning;
        this.change = change;
        return this;
    }

    /** Sets the width inside the MLP. */
    public TinyDecoder inner(int inner) {
        this.inner = inner;
        return this;
    }

    /** Writes {@code config.json}, {@code model.safetensors} and the tokenizer into {@code folder}, which is made. */
    public Path write(Path folder) {
        Weights weights = new Weights(new Random(seed), new Random(tuning), change);
        weights.matrix("model.embed_tokens", VOCABULARY, WIDTH);
        weights.matrix("lm_head", VOCABULARY, WIDTH);
        for (int layer = 0; layer < LAYERS; layer++) {
            layer(weights, "model.layers." + layer + ".");
        }
        weights.norm("model.norm", WIDTH);
        try {
            Files.createDirectories(folder);
            weights.file.write(folder.resolve("model.safetensors"));
            Files.writeString(folder.resolve("config.json"), config());
            writeTokenizer(folder);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void layer(Weights weights, String at) {
        weights.norm(at + "input_layernorm", WIDTH);
        weights.norm(at + "post_attention_layernorm", WIDTH);
        for (String name : List.of("q_proj", "k_proj", "v_proj")) {
            int rows = rows("self_attn." + name);
            weights.matrix(at + "self_attn." + name, rows, WIDTH);
            if (type.equals("qwen2")) {
                weights.tensor(at + "self_attn." + name + ".bias", 0.1, 0, rows);
            }
        }
        if (type.equals("qwen3")) {
            weights.norm(at + "self_attn.q_norm", HEAD);
            weights.norm(at + "self_attn.k_norm", HEAD);
        }
        weights.matrix(at + "self_attn.o_proj", WIDTH, 2 * HEAD);
        if (experts == 0) {
            mlp(weights, at + "mlp.", "gate_proj", "up_proj", "down_proj");
            return;
        }
        weights.matrix(at + "block_sparse_moe.gate", experts, WIDTH);
        for (int expert = 0; expert < experts; expert++) {
            mlp(weights, at + "block_sparse_moe.experts." + expert + ".", "w1", "w3", "w2");
        }
    }

    private void mlp(Weights weights, String at, String gate, String up, String down) {
        weights.matrix(at + gate, inner, WIDTH);
        weights.matrix(at + up, inner, WIDTH);
        weights.matrix(at + down, WIDTH, inner);
    }

    private int rows(String projection) {
        return switch (projection) {
            case "self_attn.k_proj", "self_attn.v_proj" -> HEAD;
            case "mlp.gate_proj", "mlp.up_proj" -> inner;
            default -> WIDTH;
        };
    }

    private String config() {
        String mixture = experts == 0 ? "" : "\"num_local_experts\": " + experts + ", \"num_experts_per_tok\": 2, ";
        return """
                {"architectures": ["%s"], "model_type": "%s", "hidden_size": %d, "head_dim": %d,
                 "intermediate_size": %d, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": %d,
                 "vocab_size": %d, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "hidden_act": "silu", "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2,
                 %s"torch_dtype": "float32"}
                """.formatted(architecture, type, WIDTH, HEAD, inner, LAYERS, VOCABULARY, mixture);
    }

    /**
     * Writes a LoRA adapter of this model, as PEFT does, into {@code folder}, which is made.
     *
     * @param rank rows of A, columns of B
     * @param alpha the scale is alpha / rank
     * @param projections the matrices of each layer that it changes, of {@link #PROJECTIONS}
     */
    public Path writeAdapter(Path folder, int rank, int alpha, List<String> projections) {
        Weights weights = new Weights(new Random(seed + 7), new Random(), 0);
        StringJoiner targets = new StringJoiner("\", \"", "[\"", "\"]");
        for (String projection : projections) {
            targets.add(projection.substring(projection.indexOf('.') + 1));
            for (int layer = 0; layer < LAYERS; layer++) {
                String at = "base_model.model.model.layers." + layer + "." + projection;
                weights.matrix(at + ".lora_A", rank, projection.equals("mlp.down_proj") ? inner : WIDTH);
                weights.matrix(at + ".lora_B", rows(projection), rank);
            }
        }
        try {
            Files.createDirectories(folder);
            weights.file.write(folder.resolve("adapter_model.safetensors"));
            Files.writeString(folder.resolve("adapter_config.json"), """
                    {"peft_type": "LORA", "r": %d, "lora_alpha": %d, "target_modules": %s, "bias": "none"}
                    """.formatted(rank, alpha, targets));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes {@code tokenizer.json} and {@code tokenizer_config.json} of every {@link TinyDecoder} into {@code folder}. */
    public static void writeTokenizer(Path folder) {
        StringJoiner added = new StringJoiner(",");
        TreeMap<Integer, String> tokens = new TreeMap<>();
        List<String> special = List.of("<unk>", "<s>", "</s>", "<pad>");
        for (int id = 0; id < SPECIAL; id++) {
            tokens.put(id, special.get(id));
            added.add("""
                    {"id": %d, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false,
                     "normalized": false, "special": true}""".formatted(id, special.get(id)));
        }
        for (int value = 0; value < 256; value++) {
            tokens.put(SPECIAL + value, String.valueOf(letter(value)));
        }
        StringJoiner vocabulary = new StringJoiner(",");
        tokens.forEach((id, token) -> vocabulary.add(quoted(token) + ":" + id));
        try {
            Files.writeString(folder.resolve("tokenizer.json"), """
                    {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [%s], "normalizer": null,
                     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
                     "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
                     "model": {"type": "BPE", "vocab": {%s}, "merges": []}}
                    """.formatted(added, vocabulary));
            Files.writeString(
                    folder.resolve("tokenizer_config.json"),
                    "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<unk>\", \"pad_token\": \"<pad>\"}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The letter that stands for a byte in byte-level vocabularies, as GPT-2 chose it. */
    private static char letter(int value) {
        boolean printable = value > ' ' && value < 0x7f || value > 0xa0 && value != 0xad;
        if (printable) {
            return (char) value;
        }
        int before = value <= ' ' ? value : value <= 0xa0 ? value - 0x7f + 33 : 33 + 34;
        return (char) (256 + before);
    }

    private static String quoted(String token) {
        return '"' + token.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Draws numbers and puts them into a file. */
    private static final class Weights {

        private final SafetensorsBuilder file = new SafetensorsBuilder();
        private final Random numbers;
        private final Random changes;
        private final double change;

        private Weights(Random numbers, Random changes, double change) {
            this.numbers = numbers;
            this.changes = changes;
            this.change = change;
        }

        private void matrix(String module, int rows, int columns) {
            tensor(module + ".weight", 0.3, 0, rows, columns);
        }

        private void norm(String module, int width) {
            tensor(module + ".weight", 0.1, 1, width);
        }

        private void tensor(String name, double deviation, double mean, long... shape) {
            int count = 1;
            for (long dimension : shape) {
                count *= (int) dimension;
            }
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                bytes.putFloat((float) (mean + deviation * numbers.nextGaussian() + change * changes.nextGaussian()));
            }
            file.tensor(name, DType.F32, bytes.array(), shape);
        }
    }
}
