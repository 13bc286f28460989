package dev.pollux.springai;

import dev.pollux.internal.FieldTypes;
import dev.pollux.retrieval.MetadataValue;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Metadata of documents as texts, with their types in a field of its own. <em>Stateless, thread-safe.</em> */
final class MetadataTypes {

    /** The field that holds the types of the fields that are no String; absent where all are. */
    static final String TYPES = "spring-ai-types";

    private static final String LIST = "List";

    private MetadataTypes() {}

    static Map<String, String> texts(Map<String, Object> metadata) {
        Map<String, String> texts = new TreeMap<>();
        SortedMap<String, String> types = new TreeMap<>();
        metadata.forEach((name, value) -> {
            if (value instanceof Number || value instanceof Boolean) {
                types.put(name, value.getClass().getSimpleName());
            } else if (value instanceof List<?>) {
                types.put(name, LIST);
            }
            texts.put(name, value instanceof List<?> list ? MetadataValue.text(list) : value.toString());
        });
        if (!types.isEmpty()) {
            texts.put(TYPES, FieldTypes.text(types));
        }
        return texts;
    }

    static Map<String, Object> typed(Map<String, String> texts) {
        Map<String, Object> values = new TreeMap<>(texts);
        values.remove(TYPES);
        FieldTypes.parse(texts.getOrDefault(TYPES, ""))
                .forEach((name, type) -> values.computeIfPresent(name, (n, text) -> value(text.toString(), type)));
        return values;
    }

    private static Object value(String text, String type) {
        return switch (type) {
            case "Integer" -> Integer.valueOf(text);
            case "Long" -> Long.valueOf(text);
            case "Float" -> Float.valueOf(text);
            case "Double" -> Double.valueOf(text);
            case "Boolean" -> Boolean.valueOf(text);
            case LIST -> MetadataValue.of(text) instanceof List<?> list ? list : List.of();
            default -> text;
        };
    }
}
