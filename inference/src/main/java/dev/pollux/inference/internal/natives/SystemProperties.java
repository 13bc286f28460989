package dev.pollux.inference.internal.natives;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** System properties that a library reads only while it loads. */
final class SystemProperties {

    private SystemProperties() {}

    /** Runs {@code loading} with these property values and restores the host's values afterwards. */
    static <T> T during(Map<String, String> values, Supplier<T> loading) {
        Map<String, @Nullable String> before = new HashMap<>();
        try {
            values.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
            return loading.get();
        } finally {
            before.forEach(SystemProperties::restore);
        }
    }

    private static void restore(String name, @Nullable String value) {
        if (value == null) {
            System.clearProperty(name);
        } else {
            System.setProperty(name, value);
        }
    }

    /** The names of set properties with this prefix. */
    static Set<String> beginningWith(String prefix) {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith(prefix))
                .collect(Collectors.toSet());
    }

    /** Whether any property with this prefix is set. */
    static boolean anyBeginsWith(String prefix) {
        return !beginningWith(prefix).isEmpty();
    }
}
