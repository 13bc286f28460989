package dev.pollux.finetune.internal.model;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Finds the sections of a configuration that describe the language model. */
public final class ConfigSections {

    /** The keys for the number of layers. */
    public static final List<String> COUNTS = List.of(
            "num_hidden_layers", "n_layer", "num_layers", "n_layers", "num_transformer_layers", "num_decoder_layers");

    private static final List<String> NESTED = List.of(
            "text_config",
            "llm_config",
            "language_config",
            "language_model_config",
            "text_model_config",
            "thinker_config",
            "decoder");

    private ConfigSections() {}

    /**
     * Returns the sections with a layer count: the configuration itself, its text section (multimodal models), or both. Returns
     * the configuration itself if no section has a layer count.
     */
    public static List<ObjectNode> of(ObjectNode config) {
        List<ObjectNode> found = new ArrayList<>();
        collect(config, found);
        if (found.isEmpty()) {
            found.add(config.get(NESTED.get(0)) instanceof ObjectNode text ? text : config);
        }
        return found;
    }

    /** The innermost section of {@link #of}, which a text-only class would read. */
    public static ObjectNode text(ObjectNode config) {
        List<ObjectNode> all = of(config);
        return all.get(all.size() - 1);
    }

    private static void collect(ObjectNode config, List<ObjectNode> into) {
        if (layers(config).isPresent()) {
            into.add(config);
        }
        for (String key : NESTED) {
            if (config.get(key) instanceof ObjectNode section) {
                collect(section, into);
            }
        }
    }

    /** The number of layers in a section. */
    public static OptionalInt layers(ObjectNode section) {
        return COUNTS.stream()
                .map(section::path)
                .filter(JsonNode::isInt)
                .mapToInt(JsonNode::asInt)
                .findFirst();
    }
}
