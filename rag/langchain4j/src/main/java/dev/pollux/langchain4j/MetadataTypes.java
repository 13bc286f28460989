package dev.pollux.langchain4j;

import dev.langchain4j.data.document.Metadata;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Metadata of segments as texts, with their types in a field of its own. <em>Stateless, thread-safe.</em> */
final class MetadataTypes {

    /*
     * The metadata of Pollux are texts. The field TYPES names the type of each field that is no String:
     *
     *   rating=Double,year=Integer
     *
     * with %, comma and equals sign in names as %25, %2C and %3D. It is absent where every field is a String.
     */

    /** The field that holds the types. */
    static final String TYPES = "langchain4j-types";

    private MetadataTypes() {}

    static Map<String, String> texts(Metadata metadata) {
        Map<String, String> texts = new TreeMap<>();
        StringBuilder types = new StringBuilder();
        new TreeMap<>(metadata.toMap()).forEach((name, value) -> {
            texts.put(name, value.toString());
            if (!(value instanceof String)) {
                types.append(types.isEmpty() ? "" : ",")
                        .append(escaped(name))
                        .append('=')
                        .append(value.getClass().getSimpleName());
            }
        });
        if (!types.isEmpty()) {
            texts.put(TYPES, types.toString());
        }
        return texts;
    }

    static Metadata typed(Map<String, String> texts) {
        Map<String, Object> values = new HashMap<>(texts);
        Object types = values.remove(TYPES);
        if (types != null) {
            for (String entry : types.toString().split(",")) {
                int equals = entry.indexOf('=');
                String name = unescaped(entry.substring(0, Math.max(0, equals)));
                String text = texts.get(name);
                if (text != null) {
                    values.put(name, value(text, entry.substring(equals + 1)));
                }
            }
        }
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

    private static String escaped(String name) {
        return name.replace("%", "%25").replace(",", "%2C").replace("=", "%3D");
    }

    private static String unescaped(String name) {
        return name.replace("%3D", "=").replace("%2C", ",").replace("%25", "%");
    }
}
