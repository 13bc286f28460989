package dev.pollux.inference.onnx;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.onnx.GraphInput.Role;
import dev.pollux.inference.onnx.GraphSignature.Names;
import java.util.List;
import java.util.Map;

/** Reads the {@code config.json} of an ONNX graph published by Optimum or transformers.js. */
final class TransformersConfig {

    /** The input names of these tools. */
    private static final Map<String, Role> INPUTS = Map.of(
            "input_ids", Role.TOKENS,
            "attention_mask", Role.MASK,
            "position_ids", Role.POSITIONS,
            "use_cache_branch", Role.CACHE_BRANCH,
            "num_logits_to_keep", Role.LOGITS_KEPT);

    private static final int UNLIMITED = 1 << 20;

    private TransformersConfig() {}

    static GraphSignature read(ModelTexts texts) {
        Settings config = texts.settings(OnnxFolder.CONFIG)
                .orElseThrow(() -> new MalformedFileException(texts.folder()
                        + " has neither config.json nor genai_config.json; it is not the folder of a model"));
        if (config.flag("is_encoder_decoder", false)) {
            throw new UnsupportedModelException(config.file()
                    + ": models with an encoder and a decoder are not supported; use a decoder-only model");
        }
        int heads = first(config, List.of("num_attention_heads", "n_head", "num_heads"), 0);
        int hidden = first(config, List.of("hidden_size", "n_embd", "d_model"), 0);
        String name = config.text("_name_or_path", "");
        return new GraphSignature(
                config.file(),
                OnnxFolder.Kind.OPTIMUM,
                name.isEmpty()
                        ? String.valueOf(
                                texts.folder().toAbsolutePath().normalize().getFileName())
                        : name,
                config.texts("architectures").stream()
                        .findFirst()
                        .orElseGet(() -> config.text("model_type", "unknown")),
                config.integer("vocab_size", 0),
                context(config),
                texts.namedEnds(),
                texts.specialTokens(),
                config.integer("num_key_value_heads", heads),
                config.integer("head_dim", heads > 0 && hidden % heads == 0 ? hidden / heads : 0),
                texts.sampling(),
                INPUTS,
                "logits",
                List.of(
                        new Names("past_key_values.%d.key", "present.%d.key"),
                        new Names("past_key_values.%d.value", "present.%d.value")));
    }

    /**
     * The context length. With LongRoPE it ends at the original context: beyond it all keys, including cached ones, would
     * need the other rotation.
     */
    private static int context(Settings config) {
        int most = first(config, List.of("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), UNLIMITED);
        Settings current = config.at("rope_parameters");
        Settings rope = current.isEmpty() ? config.at("rope_scaling") : current;
        String type = rope.text("rope_type", rope.text("type", ""));
        if (!List.of("longrope", "su", "yarn_su").contains(type)) {
            return most;
        }
        String original = "original_max_position_embeddings";
        return Math.min(most, rope.integer(original, config.integer(original, most)));
    }

    private static int first(Settings config, List<String> keys, int fallback) {
        return keys.stream()
                .filter(config::has)
                .findFirst()
                .map(config::integer)
                .orElse(fallback);
    }
}
