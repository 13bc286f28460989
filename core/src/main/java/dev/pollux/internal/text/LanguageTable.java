package dev.pollux.internal.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/** Words that ask and words that deny, by language, from {@code languages.properties}. <em>Immutable.</em> */
final class LanguageTable {

    private static final Map<String, Set<String>> TABLE = read();

    private LanguageTable() {}

    /** The entries of a kind, as in the file, words and phrases; empty where there are none. */
    static Set<String> words(String code, String kind) {
        return TABLE.getOrDefault(code + "." + kind, Set.of());
    }

    /** Every code in the file. */
    static Set<String> codes() {
        Set<String> codes = new HashSet<>();
        TABLE.keySet().forEach(key -> codes.add(key.substring(0, key.indexOf('.'))));
        return codes;
    }

    /** All function words of a language in the file: those that ask, that deny, and others; no phrases. */
    static Set<String> function(String code) {
        Set<String> all = new HashSet<>();
        TABLE.forEach((key, words) -> {
            if (key.startsWith(code + ".")) {
                words.stream().filter(word -> word.indexOf('_') < 0).forEach(all::add);
            }
        });
        return all;
    }

    private static Map<String, Set<String>> read() {
        Properties properties = new Properties();
        try (InputStream in = LanguageTable.class.getResourceAsStream("languages.properties")) {
            if (in == null) {
                throw new IllegalStateException("languages.properties is missing from the jar of pollux-core");
            }
            Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8);
            properties.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, Set<String>> table = new HashMap<>();
        for (String key : properties.stringPropertyNames()) {
            Set<String> words = new HashSet<>();
            for (String word : properties.getProperty(key).trim().split("\\s+")) {
                words.add(Folding.form(word));
            }
            table.put(key, Set.copyOf(words));
        }
        return Map.copyOf(table);
    }
}
