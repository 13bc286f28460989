package dev.pollux.inference.checkpoint;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The language model inside a vision or audio model: its part of the configuration, {@code text_config}, and its tensors, under
 * the names of a separate language model.
 */
public final class LanguageModel implements TensorFile {

    private static final Pattern PART = Pattern.compile(
            "(?:model\\.)?(?:language_model|text_model)\\.(?:model\\.)?(.+)|(?:language_model\\.)?(lm_head\\..+)");

    private final TensorFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    /** @param file the tensors of the whole model */
    LanguageModel(TensorFile file) {
        this.file = file;
        file.tensors().forEach((name, info) -> {
            if (PART.matcher(name).matches()) {
                tensors.put(own(name), info);
            }
        });
    }

    /** The name of a tensor in a separate language model; {@code name} itself if it does not differ. */
    public static String own(String name) {
        Matcher part = PART.matcher(name);
        if (!part.matches()) {
            return name;
        }
        String own = part.group(1) == null ? part.group(2) : part.group(1);
        return own.startsWith("lm_head.") ? own : "model." + own;
    }

    /** The configuration of the language model, if {@code config} is that of a model around one. */
    static Optional<JsonNode> of(JsonNode config) {
        JsonNode text = config.path("text_config");
        if (!text.isObject()) {
            return Optional.empty();
        }
        ObjectNode own = (ObjectNode) text.deepCopy();
        for (String key : new String[] {"tie_word_embeddings", "eos_token_id", "quantization_config"}) {
            if (!own.has(key) && config.has(key)) {
                own.set(key, config.path(key));
            }
        }
        String type = own.path("model_type").asString("");
        own.putArray("architectures").add(ModelTypes.decoder(type).orElse(type));
        return Optional.of(own);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        return file.bytes(info(name).name(), offset, length);
    }

    @Override
    public void close() {
        file.close();
    }
}
