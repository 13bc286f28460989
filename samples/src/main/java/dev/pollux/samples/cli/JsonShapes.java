package dev.pollux.samples.cli;

import dev.pollux.generation.Generation;
import dev.pollux.generation.Usage;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The objects that {@code --json} prints, with their keys in the order in which the help names them. */
final class JsonShapes {

    private JsonShapes() {}

    static Map<String, Object> generation(Generation generation) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("text", generation.text());
        json.put("finish", name(generation.finish()));
        json.put("usage", usage(generation.usage()));
        return json;
    }

    static Map<String, Object> usage(Usage usage) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("promptTokens", usage.promptTokens());
        json.put("completionTokens", usage.completionTokens());
        json.put("loadMillis", usage.load().toMillis());
        json.put("prefillMillis", usage.prefill().toMillis());
        json.put("decodeMillis", usage.decode().toMillis());
        return json;
    }

    /** A constant as JSON has it: {@code end_of_text}. */
    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
