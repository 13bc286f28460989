package dev.pollux.internal;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The types of fields of metadata as one text, for bridges to frameworks whose metadata are typed: {@code
 * rating=Double,year=Integer}, with {@code %25}, {@code %2C} and {@code %3D} for percent signs, commas and equals signs in names.
 */
public final class FieldTypes {

    private FieldTypes() {}

    /** The text of types by the names of their fields. */
    public static String text(SortedMap<String, String> types) {
        return types.entrySet().stream()
                .map(entry -> escaped(entry.getKey()) + "=" + entry.getValue())
                .collect(Collectors.joining(","));
    }

    /** The types by the names of their fields. */
    public static Map<String, String> parse(String text) {
        Map<String, String> types = new TreeMap<>();
        for (String entry : text.split(",", -1)) {
            int equals = entry.indexOf('=');
            if (equals > 0) {
                types.put(unescaped(entry.substring(0, equals)), entry.substring(equals + 1));
            }
        }
        return types;
    }

    private static String escaped(String name) {
        return name.replace("%", "%25").replace(",", "%2C").replace("=", "%3D");
    }

    private static String unescaped(String name) {
        return name.replace("%3D", "=").replace("%2C", ",").replace("%25", "%");
    }
}
