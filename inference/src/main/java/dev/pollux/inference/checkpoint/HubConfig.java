package dev.pollux.inference.checkpoint;

import dev.pollux.UnsupportedModelException;
import java.util.List;

/**
 * Reads the shape of a decoder from its {@code config.json}, with the names of transformers 4 ({@code rope_theta},
 * {@code rope_scaling}) or of transformers 5 ({@code rope_parameters}).
 *
 * <p>The families read the settings that only some of them have; see {@link Checkpoint#settings()}.
 */
final class HubConfig {

    private static final String LLAMA = "LlamaForCausalLM";

    private final Settings settings;

    HubConfig(Settings settings) {
        this.settings = settings;
    }

    ModelConfig read(String name) {
        String method = settings.at("quantization_config").text("quant_method", "unknown");
        if (settings.has("quantization_config") && !PackedTensors.METHODS.contains(method)) {
            throw new UnsupportedModelException(settings.file() + ": quantized weights ('" + method
                    + "') are not supported in this format; use the original model or a GGUF file");
        }
        String architecture = architecture();
        boolean llama = architecture.equals(LLAMA);
        if (llama) {
            checkLlama();
        }
        int hidden = settings.firstInteger(List.of("hidden_size", "n_embd", "d_model", "n_embed"));
        int heads = llama
                ? settings.integer("num_attention_heads")
                : any(List.of("num_attention_heads", "n_head", "n_heads", "num_heads"), 0);
        int context = any(
                List.of("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"), llama ? 2048 : 1 << 20);
        Settings rope = rope();
        return new ModelConfig(
                        architecture,
                        name,
                        hidden,
                        layers(),
                        heads,
                        settings.integer("num_key_value_heads", heads),
                        headDim(hidden, heads),
                        llama ? settings.integer("intermediate_size") : any(List.of("intermediate_size", "n_inner"), 0),
                        settings.integer("vocab_size"),
                        context,
                        settings.number("rms_norm_eps", 1e-6),
                        rope.number("rope_theta", settings.number("rope_theta", 10_000)),
                        scaling(rope, context, llama),
                        settings.flag("tie_word_embeddings", false))
                .check(settings.file());
    }

    /** Some hybrids list their layers and do not store their number. */
    private int layers() {
        List<String> blocks = settings.texts("layers_block_type");
        return blocks.isEmpty()
                ? settings.firstInteger(List.of("num_hidden_layers", "n_layer", "n_layers", "num_layers"))
                : blocks.size();
    }

    private int headDim(int hidden, int heads) {
        if (settings.has("head_dim")) {
            return settings.integer("head_dim");
        }
        return heads == 0 ? 0 : ModelConfig.headDim(settings.file(), hidden, heads);
    }

    /** The rotary scaling of Llama. LongRoPE depends on the length and is handled by the graph. */
    private static RotaryScaling scaling(Settings rope, int context, boolean llama) {
        return llama && !RotaryScaling.isLong(rope) ? RotaryScaling.read(rope, context) : new RotaryScaling.None();
    }

    private int any(List<String> keys, int fallback) {
        return keys.stream()
                .filter(key -> settings.has(key) && !settings.isList(key)) // a family reads numbers by layer
                .findFirst()
                .map(settings::integer)
                .orElse(fallback);
    }

    private Settings rope() {
        Settings current = settings.at("rope_parameters");
        return current.isEmpty() ? settings.at("rope_scaling") : current;
    }

    private void checkLlama() {
        if (rope().number("partial_rotary_factor", settings.number("partial_rotary_factor", 1)) != 1) {
            throw new UnsupportedModelException(settings.file()
                    + ": partial_rotary_factor must be 1: rotation of a part of the head is not supported");
        }
    }

    private String architecture() {
        String named = settings.texts("architectures").stream().findFirst().orElse("");
        return ModelTypes.decoder(named, settings.text("model_type", ""));
    }
}
