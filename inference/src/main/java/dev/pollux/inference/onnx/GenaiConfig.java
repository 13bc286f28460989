package dev.pollux.inference.onnx;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.onnx.GraphInput.Role;
import dev.pollux.inference.onnx.GraphSignature.Names;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The {@code genai_config.json} of a folder of onnxruntime-genai. <em>Immutable.</em> */
final class GenaiConfig {

    private static final int MAX_NAME = 256;

    private final ModelTexts texts;
    private final Settings model;
    private final Settings decoder;

    private GenaiConfig(ModelTexts texts, Settings model) {
        this.texts = texts;
        this.model = model;
        this.decoder = model.at("decoder");
    }

    static GenaiConfig read(ModelTexts texts) {
        Settings root = texts.settings(OnnxFolder.GENAI)
                .orElseThrow(() -> new MalformedFileException(texts.folder() + " has no " + OnnxFolder.GENAI));
        GenaiConfig config = new GenaiConfig(texts, root.at("model"));
        config.check(root);
        return config;
    }

    private void check(Settings root) {
        for (String part : List.of("encoder", "encoder_decoder_init", "vision", "speech", "embedding")) {
            if (model.has(part)) {
                throw new UnsupportedModelException(root.file() + " has a part '" + part
                        + "': only models that read and write text with one decoder are supported");
            }
        }
        if (decoder.has("pipeline")) {
            throw new UnsupportedModelException(
                    root.file() + ": a decoder in several graphs ('pipeline') is not supported; use a variant for CPU");
        }
        if (decoder.isEmpty()) {
            throw new MalformedFileException(root.file() + " must have model.decoder with its file and names");
        }
    }

    /** The untrusted name of the graph's file, as written. */
    String file() {
        return decoder.text("filename", "model.onnx");
    }

    GraphSignature facts() {
        Settings inputs = decoder.at("inputs");
        Settings outputs = decoder.at("outputs");
        if (inputs.has("past_names") || outputs.has("present_names")) {
            throw new UnsupportedModelException(decoder.file()
                    + ": keys and values in one tensor ('past_names') are not supported; export the model again");
        }
        Map<String, Role> roles = new HashMap<>();
        roles.put(name(inputs, "input_ids", "input_ids"), Role.TOKENS);
        roles.put(name(inputs, "attention_mask", "attention_mask"), Role.MASK);
        roles.put(name(inputs, "position_ids", "position_ids"), Role.POSITIONS);
        roles.put(name(inputs, "total_sequence_length", "total_sequence_length"), Role.TOTAL);
        int vocabulary = model.integer("vocab_size", 0);
        return new GraphSignature(
                model.file(),
                OnnxFolder.Kind.GENAI,
                String.valueOf(texts.folder().toAbsolutePath().normalize().getFileName()),
                model.text("type", "unknown"),
                vocabulary,
                model.integer("context_length", 2048),
                model.ids("eos_token_id"),
                texts.specialTokens(),
                decoder.integer("num_key_value_heads", 0),
                decoder.integer("head_size", 0),
                texts.sampling(),
                roles,
                name(outputs, "logits", "logits"),
                List.of(
                        new Names(
                                pattern(inputs, "past_key_names", "past_key_values.%d.key"),
                                pattern(outputs, "present_key_names", "present.%d.key")),
                        new Names(
                                pattern(inputs, "past_value_names", "past_key_values.%d.value"),
                                pattern(outputs, "present_value_names", "present.%d.value"))));
    }

    private static String name(Settings settings, String key, String fallback) {
        String name = settings.text(key, fallback);
        if (name.isEmpty() || name.length() > MAX_NAME) {
            throw new MalformedFileException(settings.file() + ": " + key + " must have 1 to " + MAX_NAME
                    + " characters but has " + name.length());
        }
        return name;
    }

    private static String pattern(Settings settings, String key, String fallback) {
        String name = name(settings, key, fallback);
        int at = name.indexOf("%d");
        if (at < 0 || name.indexOf('%', at + 1) >= 0 || name.indexOf('%') != at) {
            throw new MalformedFileException(
                    settings.file() + ": " + key + " must hold one %d for the layer but was '" + name + "'");
        }
        return name;
    }
}
