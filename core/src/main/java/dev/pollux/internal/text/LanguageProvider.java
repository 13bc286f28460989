package dev.pollux.internal.text;

import java.util.Optional;
import java.util.Set;

/**
 * Function words and stems of languages, found by {@link java.util.ServiceLoader}. Without one there are English, and
 * the words of all other languages as they stand. <em>Implementations are thread-safe and have a public constructor without
 * arguments.</em>
 */
public interface LanguageProvider {

    /** ISO 639-1 codes of the supported languages. */
    Set<String> codes();

    /** The data of a language; called at most once per code, when a text first needs it. */
    Optional<Language> language(String code);
}
