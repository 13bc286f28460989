package dev.pollux.langchain4j;

import dev.langchain4j.data.document.Metadata;
import dev.pollux.internal.FieldTypes;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** Metadata of segments as texts, with their types in a field of its own. <em>Stateless, thread-safe.</em> */
final class MetadataTypes {

    /** The field that holds the types of the fields that are no String; absent where all are. */
    static final String TYPES = "langchain4j-types";

    private MetadataTypes() {}

    static Map<String, String> texts(Metadata metadata) {
        Map<String, String> texts = new TreeMap<>();
        SortedMap<String, String> types = new TreeMap<>();
        metadata.toMap().forEach((name, value) -> {
            texts.put(name, value.toString());
            if (!(value instanceof String)) {
                types.put(name, value.getClass().getSimpleName());
            }
        });
        if (!types.isEmpty()) {
            texts.put(TYPES, FieldTypes.text(types));
        }
        return texts;
    }

    static Metadata typed(Map<String, String> texts) {
        Map<String, Object> values = new HashMap<>(texts);
        values.remove(TYPES);
        FieldTypes.parse(texts.getOrDefault(TYPES, ""))
                .forEach((name, type) -> values.computeIfPresent(name, (n, text) -> value(text.toString(), type)));
        return Metadata.from(values);
    }

    private static Object value(String text, String type) {
        return switch (type) {
            case "Integer" -> Integer.valueOf(text);
            case "Long" -> Long.valueOf(text);
            case "Float" -> Float.valueOf(text);
            case "Double" -> Double.valueOf(text);
            case "UUID" -> UUID.fromString(text);
            default -> text;
        };
    }
}
